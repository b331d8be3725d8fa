import { createHash, randomUUID } from 'node:crypto'
import { cp, mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { withLock } from '../../git/lock.ts'
import type { Clock } from '../../util/clock.ts'
import { EngineError } from '../errors.ts'
import type { GitAccess } from '../host.ts'
import { writeYaml } from '../yaml.ts'
import { type ChartVersion, chartFolder, type PullableChart, showVersion, versionFolder } from './chart.ts'
import { eitherExtension, exists } from './config.ts'
import { gitInfo, gitInfoFile, refOf } from './pulled.ts'
import { HelmSession, type RemoteOptions } from './remote.ts'
import { registryTags } from './tags.ts'

/** What pulling charts needs. */
export interface PullOptions extends RemoteOptions {
  readonly git: GitAccess
  readonly clock: Clock
  readonly cacheFolder: string
  /** Judges every URL that is asked for. */
  readonly allowsUrl: (url: string) => boolean
}

/** A version is asked for again after a day: repositories may replace what they hold. */
const freshFor = 24 * 3600 * 1000

/** Pulls charts into the user's cache, shared by processes, and from there into projects. */
export class ChartPuller {
  readonly #options: PullOptions

  constructor(options: PullOptions) {
    this.#options = options
  }

  /** A folder with the chart, pulled now or within the last day; not to be changed. @throws EngineError, ToolError */
  async cached(chart: PullableChart, version: ChartVersion, signal: AbortSignal): Promise<string> {
    const { clock, cacheFolder } = this.#options
    const folder = await this.#cacheFolder(cacheFolder, chart, version, signal)
    if (await isFresh(folder, clock)) return folder
    await mkdir(dirname(folder), { recursive: true, mode: 0o700 })
    await withLock(`${folder}.lock`, { clock, deadline: 300_000, signal }, async () => {
      if (!(await isFresh(folder, clock))) await this.#fill(folder, chart, version, signal)
    })
    return folder
  }

  /** Puts the chart into a project's `.helm-charts` in place of what is there. @throws EngineError, ToolError */
  async intoProject(base: string, chart: PullableChart, version: ChartVersion, signal: AbortSignal): Promise<void> {
    const from = await this.cached(chart, version, signal)
    const target = versionFolder(base, chart, version)
    const half = `${target}.${randomUUID()}`
    try {
      await cp(from, half, { recursive: true })
      await rm(target, { recursive: true, force: true })
      await rename(half, target)
    } finally {
      await rm(half, { recursive: true, force: true })
    }
  }

  /** All versions that the source offers; of Git its tags. @throws EngineError, ToolError */
  async versions({ name, source }: PullableChart, signal: AbortSignal): Promise<ChartVersion[]> {
    if (source.kind === 'git') {
      const { refs } = await this.#options.git.listRefs(source.url, signal)
      const tags = [...refs.keys()].filter(ref => ref.startsWith('refs/tags/') && !ref.endsWith('^{}'))
      return tags.map(ref => ({ ref: { tag: ref.slice('refs/tags/'.length) } }))
    }
    if (source.kind === 'oci') {
      const tags = await registryTags(source.url, this.#options, signal)
      // A tag cannot hold a `+`; Helm writes `_` for it.
      return tags.map(tag => ({ version: tag.replace('_', '+') }))
    }
    await using session = await HelmSession.open(source.url, this.#options, signal)
    return (await session.versions(name, signal)).map(version => ({ version }))
  }

  /** Git refs move, so their place in the cache is that of the commit. */
  async #cacheFolder(cacheFolder: string, chart: PullableChart, version: ChartVersion, signal: AbortSignal) {
    const base = join(cacheFolder, 'helm-charts')
    if (chart.source.kind !== 'git') return versionFolder(base, chart, version)
    const { revision } = await this.#options.git.checkout(chart.source.url, version.ref, signal)
    const id = createHash('sha256')
      .update(`${showVersion(version)}\n${revision}`)
      .digest('hex')
      .slice(0, 24)
    return join(chartFolder(base, chart), id)
  }

  async #fill(folder: string, chart: PullableChart, version: ChartVersion, signal: AbortSignal): Promise<void> {
    const half = `${folder}.${randomUUID()}`
    try {
      if (chart.source.kind === 'git') await this.#fromGit(half, chart.source, version, signal)
      else {
        await using session = await HelmSession.open(chart.source.url, this.#options, signal)
        const pulled = await session.pull(chart.name, version.version ?? '', signal)
        await cp(await folderOf(pulled), half, { recursive: true })
      }
      const now = new Date(this.#options.clock.now())
      await utimes(half, now, now)
      await rm(folder, { recursive: true, force: true })
      await rename(half, folder)
    } finally {
      await rm(half, { recursive: true, force: true })
    }
  }

  async #fromGit(
    half: string,
    { url, subDir }: { url: string; subDir: string },
    version: ChartVersion,
    signal: AbortSignal,
  ): Promise<void> {
    const { git } = this.#options
    const ref = await refOf(url, version.ref, git, signal)
    const { folder, revision } = await git.checkout(url, ref, signal)
    const from = join(folder, subDir)
    if (!(await exists(await eitherExtension(from, 'Chart.yaml')))) {
      throw new EngineError(`no Helm chart in ${subDir === '' ? 'the root' : subDir} of ${url}: Chart.yaml is missing`)
    }
    await cp(from, half, { recursive: true, filter: path => !path.slice(from.length).split('/').includes('.git') })
    await writeFile(join(half, gitInfoFile), writeYaml(gitInfo(ref, revision)))
  }
}

/** The folder Helm unpacked: the chart's name in the archive may differ from that in the repository. */
async function folderOf(expected: string): Promise<string> {
  if (await exists(expected)) return expected
  const parent = dirname(expected)
  const folders = (await readdir(parent, { withFileTypes: true })).filter(entry => entry.isDirectory())
  const [only] = folders
  if (only === undefined || folders.length > 1) throw new EngineError('the archive does not hold one chart')
  return join(parent, only.name)
}

async function isFresh(folder: string, clock: Clock): Promise<boolean> {
  const info = await stat(folder).catch(() => undefined)
  return info?.isDirectory() === true && clock.now() - info.mtimeMs < freshFor
}
