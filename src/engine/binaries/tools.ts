import { delimiter, join } from 'node:path'
import { type Clock, systemClock } from '../../util/clock.ts'
import { messageOf } from '../../util/errors.ts'
import { EngineError } from '../errors.ts'
import type { Progress } from '../host.ts'
import { identify, type Skill, type Tool } from './identify.ts'
import { isProgram, layerArchive, layerPackage, unpackLayer } from './layer.ts'
import { compareVersions, showVersion, type Version } from './versions.ts'

/** Where programs are looked for. */
export interface ToolsOptions {
  /** Unpacked programs and their versions are kept below it; the user's own, outside of any project. */
  readonly cacheFolder: string
  /** `PATH`, `OFFSHOOT_HELM_BINARY` and `OFFSHOOT_KUSTOMIZE_BINARY` are read from it. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly progress: Progress
  readonly clock?: Clock
  /** The npm package's archive; null for none. Default: the installed package. */
  readonly archive?: string | null | undefined
}

interface Wanted {
  readonly variable: string
  /** Programs in PATH that have the skill, the preferred first. */
  readonly names: readonly string[]
  readonly member: 'helm' | 'kubectl'
  /** Like what kluctl links (helm 4.2.2, kustomize api 0.21.1), as far as rendering goes. */
  readonly alike: Version
  /** Still usable; older ones lack flags or render otherwise. */
  readonly oldest: Version
}

const wanted: Record<Skill, Wanted> = {
  helm: {
    variable: 'OFFSHOOT_HELM_BINARY',
    names: ['helm'],
    member: 'helm',
    alike: [4, 1, 0],
    oldest: [3, 14, 0],
  },
  kustomize: {
    variable: 'OFFSHOOT_KUSTOMIZE_BINARY',
    names: ['kustomize', 'kubectl'],
    member: 'kubectl',
    alike: [5, 7, 0],
    oldest: [5, 0, 0],
  },
}

/** helm and kustomize, found at first use and kept. */
export class Tools {
  readonly #options: ToolsOptions
  readonly #found = new Map<Skill, Promise<Tool>>()

  constructor(options: ToolsOptions) {
    this.#options = options
  }

  /**
   * The program for a skill: the one an environment variable names; else one in PATH that is like what kluctl links;
   * else the npm package's; else an older one in PATH, with a warning.
   * @throws EngineError that says what to install
   */
  get(skill: Skill, signal?: AbortSignal): Promise<Tool> {
    let found = this.#found.get(skill)
    if (found === undefined) {
      found = this.#find(skill, signal)
      this.#found.set(skill, found)
      // An aborted or failed search must not be the answer for good.
      found.catch(() => this.#found.delete(skill))
    }
    return found
  }

  async #find(skill: Skill, signal?: AbortSignal): Promise<Tool> {
    const { environment } = this.#options
    const { variable, names, alike, oldest } = wanted[skill]
    const named = environment[variable]
    if (named !== undefined && named !== '') return await this.#named(named, skill, signal)
    const older: Tool[] = []
    for (const path of await inPath(names, environment.PATH)) {
      const tool = await identify(path, skill, this.#options.cacheFolder, signal).catch(error =>
        this.#passOver(path, error, signal),
      )
      if (tool === undefined) continue
      if (compareVersions(tool.version, alike) >= 0) return tool
      older.push(tool)
    }
    const packaged = await this.#packaged(skill, signal)
    if (packaged !== undefined) return packaged
    const [best] = older.sort((a, b) => compareVersions(b.version, a.version))
    if (best === undefined || compareVersions(best.version, oldest) < 0) throw missing(skill, best)
    const version = showVersion(best.version)
    this.#options.progress.warn(
      `${best.path} is ${skill} ${version}; ${showVersion(alike)} or newer renders as kluctl does`,
    )
    return best
  }

  async #named(path: string, skill: Skill, signal?: AbortSignal): Promise<Tool> {
    const { variable, oldest } = wanted[skill]
    if (!(await isProgram(path))) throw new EngineError(`${variable}: ${path} is not a program`)
    const tool = await identify(path, skill, this.#options.cacheFolder, signal)
    if (compareVersions(tool.version, oldest) >= 0) return tool
    throw new EngineError(
      `${variable}: ${path} is ${skill} ${showVersion(tool.version)}, expected ${showVersion(oldest)} or newer`,
    )
  }

  #passOver(path: string, error: unknown, signal?: AbortSignal): undefined {
    signal?.throwIfAborted()
    this.#options.progress.warn(`${path} cannot be used: ${messageOf(error)}`)
  }

  async #packaged(skill: Skill, signal?: AbortSignal): Promise<Tool | undefined> {
    const { cacheFolder, clock = systemClock, archive = layerArchive() ?? null } = this.#options
    if (archive === null) return undefined
    const path = await unpackLayer(archive, wanted[skill].member, cacheFolder, clock, signal)
    return await identify(path, skill, cacheFolder, signal)
  }
}

function missing(skill: Skill, older: Tool | undefined): EngineError {
  const { variable, names, alike } = wanted[skill]
  const found = older === undefined ? '' : ` (${older.path} is ${showVersion(older.version)})`
  return new EngineError(
    `${skill} is needed and was not found${found}: install ${names.join(' or ')} with ${skill} ${showVersion(alike)} ` +
      `or newer, name it in ${variable}, or add the npm package ${layerPackage}`,
  )
}

async function inPath(names: readonly string[], path: string | undefined): Promise<string[]> {
  const folders = (path ?? '').split(delimiter).filter(folder => folder !== '')
  const paths = names.flatMap(name => folders.map(folder => join(folder, name)))
  const usable = await Promise.all(paths.map(isProgram))
  return paths.filter((_, index) => usable[index])
}
