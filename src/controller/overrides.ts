import type { ChangeFacts, ReviewProject } from '../api/index.ts'
import { type ConfigOverrides, maxConfigFileBytes, readConfigFile } from '../environment/config-file.ts'
import type { ChangedPaths } from '../environment/filters.ts'
import { ForgeError } from '../forge/errors.ts'
import type { Forge } from '../forge/forge.ts'
import { InvalidInputError } from '../util/errors.ts'
import { placeOf } from './keys.ts'

/** Most answers kept; each is small, and asking again is only slower. */
const maxKept = 5_000

/** What was read at a commit never changes, so it is kept: a listing of unchanged changes asks for nothing twice. */
export class CommitCache {
  readonly #files = new Map<string, string | undefined>()
  readonly #paths = new Map<string, ChangedPaths>()

  /** Paths of a pull request at its present commit and base, if they are known. */
  knownPaths(project: ReviewProject, facts: ChangeFacts): ChangedPaths | undefined {
    return this.#paths.get(pathsKey(project, facts))
  }

  /** Paths of a pull request. @throws ForgeError */
  async paths(project: ReviewProject, facts: ChangeFacts, forge: Forge, signal: AbortSignal): Promise<ChangedPaths> {
    const key = pathsKey(project, facts)
    const known = this.#paths.get(key)
    if (known !== undefined) return known
    const paths = await forge.changedPaths(facts.number ?? 0, signal)
    keep(this.#paths, key, paths)
    return paths
  }

  /**
   * What the change's own commit says about its environment, as far as the project allows it anything; undefined when
   * it allows nothing. An absent file says nothing.
   * @throws InvalidInputError for a file with mistakes, ForgeError when it cannot be had
   */
  async overrides(
    project: ReviewProject,
    facts: Pick<ChangeFacts, 'sha'>,
    forge: () => Promise<Forge>,
    signal: AbortSignal,
  ): Promise<ConfigOverrides | undefined> {
    const { configFile } = project.spec
    if (configFile.allow.length === 0) return undefined
    const key = fileKey(project, facts)
    if (!this.#files.has(key)) keep(this.#files, key, await read(await forge(), facts.sha, configFile.path, signal))
    return parse(this.#files.get(key), project)
  }

  /** What was read before, without asking; a file with mistakes says nothing. */
  knownOverrides(project: ReviewProject, facts: Pick<ChangeFacts, 'sha'>): ConfigOverrides | undefined {
    const key = fileKey(project, facts)
    if (project.spec.configFile.allow.length === 0 || !this.#files.has(key)) return undefined
    return readable(() => parse(this.#files.get(key), project))
  }

  /** As `overrides`, but a file with mistakes says nothing: its environment's own status tells of them. */
  async readableOverrides(
    project: ReviewProject,
    facts: ChangeFacts,
    forge: Forge,
    signal: AbortSignal,
  ): Promise<ConfigOverrides | undefined> {
    try {
      return await this.overrides(project, facts, () => Promise.resolve(forge), signal)
    } catch (error) {
      if (error instanceof InvalidInputError) return undefined
      throw error
    }
  }
}

function parse(text: string | undefined, project: ReviewProject): ConfigOverrides {
  return text === undefined ? {} : readConfigFile(text, project.spec.configFile)
}

function readable<T>(parsed: () => T): T | undefined {
  try {
    return parsed()
  } catch (error) {
    if (error instanceof InvalidInputError) return undefined
    throw error
  }
}

async function read(forge: Forge, sha: string, path: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    return await forge.readFile(sha, path, maxConfigFileBytes, signal)
  } catch (error) {
    // Whoever can push decides what is there: it must not stop the listing of everybody else's changes.
    if (!(error instanceof ForgeError && (error.kind === 'tooLarge' || error.kind === 'invalid'))) throw error
    const message = `expected a regular file of at most ${maxConfigFileBytes} bytes in UTF-8`
    throw new InvalidInputError([{ file: path, path: '', message }], { cause: error })
  }
}

function fileKey(project: ReviewProject, { sha }: Pick<ChangeFacts, 'sha'>): string {
  return `${placeOf(project)}|${project.spec.source.url}|${sha}|${project.spec.configFile.path}`
}

/** The diff depends on the base, too; a base that moves on is seen with the next commit or listing after a restart. */
function pathsKey(project: ReviewProject, facts: ChangeFacts): string {
  return `${placeOf(project)}|${project.spec.source.url}|${facts.number}|${facts.sha}|${facts.base}`
}

function keep<V>(map: Map<string, V>, key: string, value: V): void {
  map.set(key, value)
  const oldest = map.keys().next().value
  if (map.size > maxKept && oldest !== undefined) map.delete(oldest)
}
