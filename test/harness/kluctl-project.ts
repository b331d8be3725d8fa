import { mkdtemp, rename } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BareRepository, type Files } from './forge/bare-repository.ts'

/** A Git repository on disk with a Kluctl project in its folder `deploy`. */
export interface KluctlRepository {
  url: string
  /** Commits files (whole contents) on the default branch and gives the commit's id. */
  push(files: Files): Promise<string>
  /** Commits on a ref that kluctl does not fetch, as a fork's pull request is. */
  pushElsewhere(ref: string, files: Files): Promise<string>
  /** Takes the repository away, as a Git server that is down; or brings it back. */
  available(yes: boolean): Promise<void>
}

/** A project that the real kluctl deploys too: one target, a ConfigMap, and a Deployment if asked for. */
export function kluctlFiles(options: { discriminator?: string; deployment?: boolean; extra?: boolean } = {}): Files {
  const { discriminator = 'preview-{{ args.environment }}', deployment = false, extra = false } = options
  return {
    'deploy/.kluctl.yaml': [
      `discriminator: "${discriminator}"`,
      'targets:',
      '  - name: preview',
      'args:',
      '  - name: environment',
      '  - name: namespace',
      '  - name: version',
      '    default: "1"',
      '',
    ].join('\n'),
    'deploy/deployment.yaml': 'deployments:\n  - path: app\n',
    'deploy/app/config.yaml': manifest('ConfigMap', 'v1', 'config', 'data:\n  version: "{{ args.version }}"\n'),
    'deploy/app/web.yaml': deployment ? manifest('Deployment', 'apps/v1', 'web', web) : null,
    'deploy/app/extra.yaml': extra ? manifest('ConfigMap', 'v1', 'extra', 'data: {}\n') : null,
  }
}

function manifest(kind: string, apiVersion: string, name: string, rest: string): string {
  return `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata:\n  name: ${name}\n  namespace: "{{ args.namespace }}"\n${rest}`
}

const web = `spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: web}]
`

export async function createKluctlRepository(files: Files): Promise<KluctlRepository & { first: string }> {
  const folder = join(await mkdtemp(join(tmpdir(), 'offshoot-project-')), 'project.git')
  const git = new BareRepository(folder)
  await git.create('main')
  let tip: string | undefined
  let seconds = 1_700_000_000
  const commit = async (ref: string, changed: Files): Promise<string> => {
    const clean =
      tip === undefined ? Object.fromEntries(Object.entries(changed).filter(([, text]) => text !== null)) : changed
    const request = { refs: [ref], message: 'change', files: clean, ...(tip === undefined ? {} : { from: tip }) }
    const [sha = ''] = await git.commit([request], seconds++)
    return sha
  }
  const push = async (changed: Files) => (tip = await commit('refs/heads/main', changed))
  const first = await push(files)
  const available = (yes: boolean) => (yes ? rename(`${folder}-away`, folder) : rename(folder, `${folder}-away`))
  return { url: `file://${folder}`, push, pushElsewhere: commit, available, first }
}
