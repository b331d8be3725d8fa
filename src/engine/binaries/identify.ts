import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { ToolError } from './errors.ts'
import { runTool } from './run-tool.ts'
import { readVersion, type Version } from './versions.ts'

/** What a program can be asked to do for the engine. */
export type Skill = 'helm' | 'kustomize'

/** A program that was found and asked for its version. */
export interface Tool {
  readonly path: string
  /** Helm's own version, or that of the Kustomize inside (kubectl's is another). */
  readonly version: Version
  /** Arguments that come before those of the skill: `kustomize` for kubectl, `build` for kustomize. */
  readonly verb: readonly string[]
  /** Stands for the program's bytes in cache keys. */
  readonly identity: string
}

/**
 * Asks a program for its version, once per program and cache folder: starting it costs a tenth of a second.
 * @throws ToolError when it cannot be run or answers something else than a version
 */
export async function identify(path: string, skill: Skill, cacheFolder: string, signal?: AbortSignal): Promise<Tool> {
  const { size, mtimeMs, ino } = await stat(path)
  const identity = createHash('sha256').update(`${skill}\n${path}\n${size}\n${mtimeMs}\n${ino}`).digest('hex')
  const isKubectl = skill === 'kustomize' && /kubectl/.test(basename(path))
  const remembered = join(cacheFolder, 'tools', `version-${identity.slice(0, 32)}`)
  const known = readVersion(await readFile(remembered, 'utf8').catch(() => ''))
  const version = known ?? (await ask(path, skill, isKubectl, signal))
  if (known === undefined) await remember(remembered, version)
  return { path, version, verb: skill === 'helm' ? [] : [isKubectl ? 'kustomize' : 'build'], identity }
}

async function ask(path: string, skill: Skill, isKubectl: boolean, signal?: AbortSignal): Promise<Version> {
  const args = skill === 'helm' ? ['version', '--short'] : isKubectl ? ['version', '--client'] : ['version']
  const { stdout } = await runTool(path, args, { env: { HOME: '/nonexistent' }, deadline: 30_000, signal })
  const text = isKubectl ? (/^Kustomize Version: .*$/m.exec(stdout)?.[0] ?? '') : stdout
  const version = readVersion(text)
  if (version === undefined) throw new ToolError(`${path} does not tell its version: ${stdout.trim().slice(0, 200)}`)
  return version
}

async function remember(file: string, version: Version): Promise<void> {
  await mkdir(join(file, '..'), { recursive: true, mode: 0o700 })
  const half = `${file}.${randomUUID()}`
  await writeFile(half, version.join('.'), { mode: 0o600 })
  await rename(half, file)
}
