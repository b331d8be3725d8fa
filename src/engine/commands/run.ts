import { mkdir, mkdtemp, readdir, realpath, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import type { EngineHost } from '../host.ts'
import { latestCommit } from '../local/latest-commit.ts'
import { type ArgumentFlags, readArguments } from '../project/args.ts'
import { findProject, loadProject, type Project, selectTarget } from '../project/load.ts'
import { renderTarget, type TargetFlags, type TargetRun } from '../render/target-run.ts'
import { Templates } from '../templating/templates.ts'

/** Where a project is, and with which arguments it is loaded. */
export interface ProjectFlags extends ArgumentFlags {
  /** Default: the working folder. */
  readonly projectDir?: string | undefined
  readonly projectConfig?: string | undefined
  /** The repository around the project, where it is known; absolute. Default: found by its `.git`. */
  readonly repositoryRoot?: string | undefined
}

/** Flags of commands that render a target. */
export interface RenderFlags extends ProjectFlags, TargetFlags {
  /** Where rendered files stay; without it they go when the command ends. */
  readonly renderOutputDir?: string | undefined
}

/** What of the host a project is loaded with: nothing but its own files is read. */
export type LoadHost = Pick<EngineHost, 'policy' | 'clock' | 'progress'>

/** Loads the project that the flags name. @throws EngineError */
export async function openProject(
  host: LoadHost,
  flags: ProjectFlags,
  signal: AbortSignal,
): Promise<{ project: Project; templates: Templates }> {
  const place = await placeOf(flags)
  if (!place.inRepository) {
    host.progress.warn('Failed to detect git project root. This might cause follow-up errors')
  }
  const templates = new Templates({
    within: host.policy.outsideLinks
      ? ['/']
      : [place.root, ...(host.policy.fetched === undefined ? [] : [host.policy.fetched])],
    signal,
    now: () => host.clock.now(),
    debugPrint: line => host.progress.info(line),
    ...(host.policy.outsideLinks ? { latestCommit } : {}),
  })
  const args = await readArguments(flags)
  const project = await loadProject(place, {
    configFile: flags.projectConfig,
    args,
    templates,
    progress: host.progress,
  })
  return { project, templates }
}

async function placeOf({ projectDir = '.', repositoryRoot }: ProjectFlags): ReturnType<typeof findProject> {
  if (repositoryRoot === undefined) return findProject(projectDir)
  const [folder, root] = await Promise.all([realpath(projectDir), realpath(repositoryRoot)])
  return { folder, root, inRepository: true }
}

/** Loads the project and renders its target; `use` gets the result while the rendered files are there. */
export async function withRenderedTarget<T>(
  host: EngineHost,
  flags: RenderFlags,
  signal: AbortSignal,
  use: (run: TargetRun, folder: string) => Promise<T> | T,
): Promise<T> {
  const { project, templates } = await openProject(host, flags, signal)
  const output = flags.renderOutputDir === undefined ? undefined : resolve(flags.renderOutputDir)
  const folder = await scratchFolder(output)
  try {
    const isKept = output !== undefined
    const run = await renderTarget({ host, templates, renderFolder: folder, isKept, signal }, project, flags)
    if (output !== undefined) await moveInto(folder, output)
    return await use(run, output ?? folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** A folder beside the output, so that only what is whole gets into it; in the system's place without one. */
async function scratchFolder(output: string | undefined): Promise<string> {
  if (output === undefined) return mkdtemp(join(tmpdir(), 'offshoot-render-'))
  await mkdir(dirname(output), { recursive: true })
  return mkdtemp(join(dirname(output), `.${basename(output)}.`))
}

async function moveInto(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true, mode: 0o700 })
  for (const name of await readdir(from)) {
    await rm(join(to, name), { recursive: true, force: true })
    await rename(join(from, name), join(to, name))
  }
}

/** The kubeconfig context that the target names; undefined or empty for the current one. @throws EngineError */
export async function targetContext(
  host: EngineHost,
  flags: RenderFlags,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { project } = await openProject(host, flags, signal)
  return flags.target === undefined || flags.target === '' ? undefined : selectTarget(project, flags.target).context
}
