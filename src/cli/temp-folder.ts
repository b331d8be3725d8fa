import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

const prefix = 'offshoot-'

/**
 * Lets this process and the programs that it starts keep their files in use in a new folder within `parent`, which goes
 * when disposed of. What is left there of processes that were killed, checkouts and credentials among it, goes at once:
 * no other process may work there. @throws Error of the file system
 */
export async function takeTempFolder(parent: string, environment: NodeJS.ProcessEnv): Promise<AsyncDisposable> {
  await mkdir(parent, { recursive: true, mode: 0o700 })
  const left = (await readdir(parent)).filter(name => name.startsWith(prefix))
  await Promise.all(left.map(name => rm(join(parent, name), { recursive: true, force: true })))
  const folder = await mkdtemp(join(parent, prefix))
  environment.TMPDIR = folder
  return { [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }) }
}
