import { mkdtemp, realpath, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, posix } from 'node:path'
import type { LoadForCheck } from '../backend/check-project.ts'
import { projectErrorOf } from '../backend/project-error.ts'
import { ProjectSources } from '../backend/project-source.ts'
import { type LoadedTarget, loadTarget } from '../engine/commands/load-target.ts'
import { EngineError, MissingError } from '../engine/errors.ts'
import { type Policy, silentProgress } from '../engine/host.ts'
import { gitCredentials } from '../engine/local/credentials.ts'
import { GitStore } from '../git/index.ts'
import type { Io } from './io.ts'

/** A target is its file and no more. */
const nothingElse: Policy = { sources: new Set(), allowsUrl: () => false, outsideLinks: false }

/** Loads targets from a local checkout of the repository that holds the Kluctl project. */
export function fromFolder(folder: string, io: Io, signal: AbortSignal): LoadForCheck {
  return async ({ path }, { target, args }) => {
    const where = `Kluctl project ${path === '' ? '' : `${path} `}in ${folder}`
    try {
      const root = await rootOf(folder)
      const project = join(root, posix.join('/', path))
      await mustHaveConfig(project, path)
      const host = { policy: nothingElse, clock: io.clock, progress: silentProgress }
      const flags = { projectDir: project, repositoryRoot: root, target, values: args }
      return await loadTarget(host, flags, signal).catch((error: unknown) => {
        throw relative(error, root)
      })
    } catch (error) {
      throw projectErrorOf(where, error)
    }
  }
}

/** Runs `work` with targets loaded from their repositories, in a cage; the change's own at its default branch. */
export async function withRepositories<T>(
  io: Io,
  signal: AbortSignal,
  work: (load: LoadForCheck) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'offshoot-check-'))
  const { clock } = io
  const sources = new ProjectSources({ git: new GitStore({ folder, clock, allowFile: true }), clock })
  const credential = gitCredentials({}, io.env)
  const load: LoadForCheck = async ({ url, path, ref, ownRepository }, request): Promise<LoadedTarget> => {
    const location = { url, path, ref: ownRepository ? {} : ref }
    const pinned = await sources.pin(location, await credential(url), signal)
    const loaded = await sources.loadTarget(pinned, request, { patience, signal })
    if (loaded === undefined) throw new EngineError(`${url} could not be loaded within ${patience / 1000} s`)
    return loaded
  }
  try {
    return await work(load)
  } finally {
    await sources.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Longer than anything that a load waits for takes, in milliseconds. */
const patience = 5 * 60_000

async function rootOf(folder: string): Promise<string> {
  try {
    return await realpath(folder)
  } catch (cause) {
    throw new EngineError(`${folder} does not exist`, { cause })
  }
}

async function mustHaveConfig(project: string, path: string): Promise<void> {
  for (const name of ['.kluctl.yml', '.kluctl.yaml']) {
    const info = await stat(join(project, name)).catch(() => undefined)
    if (info?.isFile()) return
  }
  throw new MissingError(`there is no ${posix.join(path, '.kluctl.yaml')}`)
}

/** Files as they are named in the repository. */
function relative(error: unknown, root: string): unknown {
  if (!(error instanceof EngineError)) return error
  const message = error.message.replaceAll(`${root}/`, '')
  return error instanceof MissingError ? new MissingError(message) : new EngineError(message)
}
