import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parseAllDocuments } from 'yaml'
import { listSettings } from '../../src/cli/serve-settings.ts'
import type { KubeObject } from '../../src/kube/types.ts'
import { helmBinary } from './binaries.ts'

/** Folder of the chart. */
export const chartFolder = join(import.meta.dirname, '../../charts/offshoot')

const run = promisify(execFile)

/** Runs the real helm and gives what it prints. @throws Error with its complaint as `stderr` */
export async function helm(args: readonly string[], kubeconfig?: string): Promise<string> {
  // Nothing of this machine's own helm is used, and nothing is left behind.
  const home = await mkdtemp(join(tmpdir(), 'offshoot-helm-'))
  try {
    const env = { HOME: home, PATH: process.env.PATH, ...(kubeconfig === undefined ? {} : { KUBECONFIG: kubeconfig }) }
    const options = { env, timeout: 60_000, maxBuffer: 64 * 1024 * 1024 }
    return (await run(await helmBinary(), [...args], options)).stdout
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}

/** A release of the chart: name, namespace and the values that differ from the chart's own. */
export interface Release {
  name?: string
  namespace?: string
  values?: Readonly<Record<string, unknown>>
}

/** Helm's flags that give values of any kind. */
export function valueFlags(values: Readonly<Record<string, unknown>> = {}): string[] {
  return Object.entries(values).flatMap(([path, value]) => ['--set-json', `${path}=${JSON.stringify(value)}`])
}

/** The objects that the chart renders, as `helm template` prints them. @throws Error with helm's complaint */
export async function renderChart({ name = 'offshoot', namespace = 'offshoot-system', values }: Release = {}) {
  const output = await helm(['template', name, chartFolder, '--namespace', namespace, ...valueFlags(values)])
  return parseAllDocuments(output)
    .map(document => document.toJS() as KubeObject | null)
    .filter(object => object !== null)
}

/** The rendered object of a kind; the only one, or the one of that name. @throws Error when there is none */
export function rendered<T extends KubeObject>(objects: readonly KubeObject[], kind: string, name?: string): T {
  const found = objects.find(object => object.kind === kind && (name === undefined || object.metadata.name === name))
  if (found === undefined) throw new Error(`the chart renders no ${kind} ${name ?? ''}`)
  return found as T
}

/** A rendered Deployment, as far as tests look into it. */
export type RenderedDeployment = KubeObject & {
  spec: {
    replicas: number
    template: {
      metadata: { labels: Record<string, string> }
      spec: Record<string, unknown> & { containers: [Record<string, unknown> & { image: string; args: string[] }] }
    }
  }
}

/** The flags in a rendered container's arguments, as setting to value (`watchNamespace` for `--watch-namespace`). */
export function settingsIn({ spec }: RenderedDeployment): Record<string, unknown> {
  const [command, ...args] = spec.template.spec.containers[0].args
  if (command !== 'serve') throw new Error(`expected offshoot serve, not ${command}`)
  const settings: Record<string, unknown> = {}
  for (const arg of args) {
    const [, flag = '', value = ''] = /^--([a-z-]+)=(.*)$/.exec(arg) ?? []
    const setting = flag.replaceAll(/-([a-z])/g, (_match, letter: string) => letter.toUpperCase())
    settings[setting] = listSettings.has(setting)
      ? [...((settings[setting] as string[] | undefined) ?? []), value]
      : value
  }
  return settings
}
