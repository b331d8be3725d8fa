import { readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { EngineError } from '../errors.ts'
import type { GitAccess, GitRef } from '../host.ts'
import type { RenderedItem } from '../item.ts'
import { emptyObject, isObject, type JsonObject } from '../values.ts'
import { readYamlObject } from '../yaml.ts'
import { type ChartVersion, type PullableChart, showVersion, versionFolder } from './chart.ts'
import { eitherExtension, exists } from './config.ts'

/** Written beside a chart that was pulled from Git: which commit it is. */
export const gitInfoFile = '.git-info.yaml'

/** The nearest `.helm-charts` from the item's folder up to the source's root. */
export async function findChartsFolder(item: RenderedItem): Promise<string | undefined> {
  for (let path = item.path; ; path = dirname(path)) {
    const folder = join(item.source.root, path, '.helm-charts')
    if (await isFolder(folder)) return folder
    if (path === '.' || path === '/') return undefined
  }
}

/**
 * The folder of a chart that was pulled before.
 * @throws EngineError that asks for `helm-pull` when it is not there or of another version
 */
export async function prePulled(
  chart: PullableChart,
  version: ChartVersion,
  base: string | undefined,
  git: GitAccess,
  signal: AbortSignal,
): Promise<string> {
  if (base === undefined) throw new EngineError("can't determine pulled chart dir. No base dir for charts found")
  const folder = versionFolder(base, chart, version)
  const state = await stateOf(folder, chart, version, git, signal)
  if (state.is === 'current') return folder
  if (state.is === 'other') {
    throw new EngineError(
      `pre-pulled Helm Chart ${chart.name} need to be pulled (call 'offshoot helm-pull'). ` +
        `Desired version is ${showVersion(version)} while pre-pulled version is ${state.version}`,
    )
  }
  throw new EngineError(
    `Helm Chart ${chart.name} has not been pre-pulled, which is not allowed when skipPrePull is not enabled. ` +
      "Run 'offshoot helm-pull' to pre-pull all Helm Charts",
  )
}

/** Whether the folder holds the chart in that version. */
export async function stateOf(
  folder: string,
  chart: PullableChart,
  version: ChartVersion,
  git: GitAccess,
  signal: AbortSignal,
): Promise<{ is: 'current' | 'absent' } | { is: 'other'; version: string }> {
  if (!(await isFolder(folder))) return { is: 'absent' }
  if (chart.source.kind === 'git') return await gitState(folder, chart.source.url, version.ref, git, signal)
  const file = await eitherExtension(folder, 'Chart.yaml')
  if (!(await exists(file))) return { is: 'absent' }
  const found = readYamlObject(await readFile(file, 'utf8')).version
  const shown = typeof found === 'string' ? found : ''
  return shown === showVersion(version) ? { is: 'current' } : { is: 'other', version: shown }
}

/** What `.git-info.yaml` says of a checkout. */
export function gitInfo(ref: GitRef, commit: string): JsonObject {
  const info = emptyObject()
  info.checkedOutCommit = commit
  const checkedOut = emptyObject()
  for (const [key, value] of Object.entries(ref)) if (typeof value === 'string' && value !== '') checkedOut[key] = value
  info.checkedOutRef = checkedOut
  return info
}

/** The ref that is checked out when none is named. */
export async function refOf(url: string, ref: GitRef | undefined, git: GitAccess, signal: AbortSignal) {
  if (ref !== undefined) return ref
  const { defaultRef } = await git.listRefs(url, signal)
  return { branch: defaultRef.replace(/^refs\/heads\//, '') }
}

async function gitState(
  folder: string,
  url: string,
  ref: GitRef | undefined,
  git: GitAccess,
  signal: AbortSignal,
): Promise<{ is: 'current' | 'absent' } | { is: 'other'; version: string }> {
  const file = join(folder, gitInfoFile)
  if (!(await exists(file))) return { is: 'absent' }
  const found = readYamlObject(await readFile(file, 'utf8'))
  // A commit never changes; a branch or tag has to be asked for.
  const commit = ref?.commit || (await git.checkout(url, ref, signal)).revision
  if (found.checkedOutCommit === commit) return { is: 'current' }
  const { checkedOutRef } = found
  const tag = isObject(checkedOutRef) ? checkedOutRef.tag : undefined
  const branch = isObject(checkedOutRef) ? checkedOutRef.branch : undefined
  return {
    is: 'other',
    version: showVersion({
      ref: { ...(typeof tag === 'string' ? { tag } : {}), ...(typeof branch === 'string' ? { branch } : {}) },
    }),
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    info => info.isDirectory(),
    () => false,
  )
}
