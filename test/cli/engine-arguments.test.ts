import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { deployCommand } from '../../src/cli/deploy.ts'
import { kluctlArguments } from '../../src/cli/engine-arguments.ts'
import type { Io } from '../../src/cli/io.ts'
import { systemClock } from '../../src/util/clock.ts'

/** The options that `deploy` would act on. */
async function optionsOf(args: readonly string[], env: Record<string, string> = {}): Promise<Record<string, unknown>> {
  const silent = { write: () => true }
  const stdin = (async function* () {})()
  const signal = new AbortController().signal
  const io: Io = { stdin, stdout: silent, stderr: silent, env, clock: systemClock, signal }
  const root = new Command('offshoot').exitOverride()
  let options = {}
  const command = deployCommand(io).exitOverride()
  command.action((given: object) => {
    options = given
  })
  root.addCommand(command).addCommand(new Command('other'))
  await root.parseAsync(kluctlArguments(root, args), { from: 'user' })
  return options
}

describe('arguments as kluctl takes them', () => {
  it('takes flags before the command, with and without values', async () => {
    const args = ['--kubeconfig', 'k', '-t', 'prod', '--debug', '--no-update-check', '-y', '--project-dir=p', 'deploy']
    expect(await optionsOf([...args, '-I', 'tag', '-oyaml'])).toMatchObject({
      kubeconfig: 'k',
      target: 'prod',
      debug: true,
      yes: true,
      projectDir: 'p',
      includeTag: ['tag'],
      outputFormat: ['yaml'],
    })
  })

  it('a value that is a command is a value', async () => {
    expect(await optionsOf(['-t', 'deploy', 'deploy'])).toMatchObject({ target: 'deploy' })
  })

  it('takes yes and no for flags that need no value', async () => {
    const args = ['deploy', '--yes=true', '--write-command-result=false', '--no-wait=false', '--no-obfuscate=1']
    expect(await optionsOf([...args, '--prune=F', '-a', 'x=--yes=false'])).toMatchObject({
      yes: true,
      writeCommandResult: false,
      wait: true,
      obfuscate: false,
      prune: false,
      arg: ['x=--yes=false'],
    })
    await expect(optionsOf(['deploy', '--yes=perhaps'])).rejects.toThrow('invalid value "perhaps" of --yes')
  })

  it('has kluctl’s defaults', async () => {
    expect(await optionsOf(['deploy'])).toMatchObject({
      timeout: 600_000,
      readinessTimeout: 300_000,
      wait: true,
      obfuscate: true,
      writeCommandResult: true,
      commandResultNamespace: 'kluctl-results',
      keepCommandResultsCount: 5,
      keepValidateResultsCount: 2,
      outputFormat: [],
    })
  })

  it('takes flags from variables, and the command line before them', async () => {
    const env = {
      KLUCTL_YES: 'true',
      KLUCTL_NO_WAIT: 'true',
      OFFSHOOT_DRY_RUN: '1',
      KLUCTL_WRITE_COMMAND_RESULT: 'false',
      KLUCTL_READINESS_TIMEOUT: '1m',
      KLUCTL_KEEP_COMMAND_RESULTS_COUNT: '9',
      KLUCTL_ARG_0: 'a=1',
    }
    expect(await optionsOf(['deploy', '--dry-run=false', '-a', 'b=2'], env)).toMatchObject({
      yes: true,
      wait: false,
      dryRun: false,
      writeCommandResult: false,
      readinessTimeout: 60_000,
      keepCommandResultsCount: 9,
      arg: ['a=1', 'b=2'],
    })
    await expect(optionsOf(['deploy'], { KLUCTL_YES: 'maybe' })).rejects.toThrow('invalid value "maybe" of --yes')
  })

  it('takes variables of credentials for sets of them, not for flags', async () => {
    const env = {
      KLUCTL_GIT_USERNAME: 'ann',
      KLUCTL_GIT_HOST: 'git.example.com',
      KLUCTL_HELM_0_PASSWORD: 'pw',
      KLUCTL_REGISTRY_TOKEN: 'token',
      KLUCTL_GIT_CACHE_UPDATE_INTERVAL: '10m',
      KLUCTL_LOCAL_GIT_OVERRIDE_0: 'git.example.com/o/r=folder',
    }
    expect(await optionsOf(['deploy'], env)).toMatchObject({
      gitUsername: [],
      helmPassword: [],
      registryToken: [],
      gitCacheUpdateInterval: 600_000,
      localGitOverride: ['git.example.com/o/r=folder'],
    })
  })
})
