import type { Command } from 'commander'
import { expect, it } from 'vitest'
import { engineCommands } from '../../src/cli/engine-program.ts'
import { recordingIo } from '../harness/installation.ts'

const words = (text: string) => text.trim().split(/\s+/)

// The flags of kluctl 2.28.2 (cmd/kluctl/args, cmd/kluctl/commands); short ones stand before their long ones.
const global = words('debug no-update-check no-color cpu-profile gops-agent gops-agent-addr use-system-python')
const git = words('git-username git-password git-ssh-key-file git-ssh-known-hosts-file git-ca-file')
const helm = words(`
  helm-username helm-password helm-key-file helm-cert-file helm-ca-file helm-insecure-skip-tls-verify helm-creds`)
const registry = words(`
  registry-username registry-password registry-identity-token registry-token registry-creds registry-key-file
  registry-cert-file registry-ca-file registry-plain-http registry-insecure-skip-tls-verify`)
const credentials = [...git, ...helm, ...registry]
const project = words(`
  project-dir local-git-override local-git-group-override local-oci-override local-oci-group-override c project-config
  timeout git-cache-update-interval`)
const target = words(`
  t target T target-name-override context kubeconfig a arg args-from-file I include-tag E exclude-tag
  include-deployment-dir exclude-deployment-dir render-output-dir`)
const images = words('F fixed-image fixed-images-file')
const shown = words('o output-format no-obfuscate short-output')
const force = words('force-apply replace-on-error force-replace-on-error')
const results = words(`
  command-result-namespace write-command-result force-write-command-result keep-command-results-count
  keep-validate-results-count`)
const rendering = [...global, ...project, ...target, ...credentials]
const changing = [...rendering, ...images, ...shown, ...results, ...words('y yes dry-run')]
const offline = words('offline-kubernetes kubernetes-version')

const flags: Record<string, string[]> = {
  deploy: [...changing, ...force, ...words('abort-on-error readiness-timeout no-wait prune discriminator')],
  diff: [
    ...rendering,
    ...images,
    ...shown,
    ...force,
    ...words('ignore-tags ignore-labels ignore-annotations ignore-kluctl-metadata discriminator'),
  ],
  prune: [...changing, 'discriminator'],
  delete: [...changing, 'discriminator', 'no-wait'],
  'poke-images': changing,
  validate: [...rendering, ...words('o output wait sleep warnings-as-errors')],
  render: [...rendering, ...images, ...offline, 'print-all'],
  'list-images': [...rendering, ...images, ...offline, ...words('o output simple')],
  'list-targets': [...global, ...project, ...words('o output only-names')],
  'helm-pull': [...global, 'project-dir', ...credentials],
  'helm-update': [...global, 'project-dir', ...credentials, ...words('upgrade commit i interactive')],
  push: [...global, 'project-dir', ...registry, ...words('url annotation output timeout')],
}

const all = (commands: readonly Command[]): Command[] =>
  commands.flatMap(command => (command.commands.length > 0 ? all(command.commands) : [command]))

it.each(Object.entries(flags))('%s has every flag that kluctl has', (name, wanted) => {
  const command = all(engineCommands(recordingIo().io)).find(one => one.name() === name)
  const known = command?.options.flatMap(({ short, long }) => [short, long]).filter(flag => flag !== undefined)
  expect(known).toEqual(expect.arrayContaining(wanted.map(flag => (flag.length === 1 ? `-${flag}` : `--${flag}`))))
})
