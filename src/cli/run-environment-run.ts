import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { engineDeployer } from '../backend/engine/carry-out.ts'
import { encodeOutcome } from '../backend/engine/job-outcome.ts'
import {
  credentialFile,
  JobCredential,
  JobRequest,
  parseRequestFile,
  requestFile,
} from '../backend/engine/job-request.ts'
import type { EngineOutcome } from '../backend/engine/outcome.ts'
import type { RunControls } from '../backend/engine/runs.ts'
import { presentable } from '../backend/mask.ts'
import { ProjectSources } from '../backend/project-source.ts'
import { Tools } from '../engine/binaries/index.ts'
import { silentProgress } from '../engine/host.ts'
import { GitStore } from '../git/index.ts'
import type { KubeClient } from '../kube/client.ts'
import type { Credential } from '../util/credential.ts'
import { messageOf, OffshootError } from '../util/errors.ts'
import { withClient } from './cluster.ts'
import { CliError } from './exit.ts'
import type { Io } from './io.ts'
import type { RunEnvironmentOptions } from './run-environment.ts'

/** A Secret holds no more, in bytes. */
const maxFile = 2 * 1024 * 1024

/**
 * Carries out one run with the account of the pod, as the controller does inline, and writes the outcome, also that of
 * a run that came to none.
 * @throws CliError when something went wrong, so that the Job counts as failed
 */
export async function runEnvironment(io: Io, options: RunEnvironmentOptions): Promise<void> {
  let outcome: EngineOutcome
  try {
    const request = parseRequestFile(JobRequest, requestFile, await text(options.request, requestFile))
    const credential = await credentialOf(options.request)
    outcome = await withClient(options, kube => carryOut(io, options, request, credential, kube))
  } catch (error) {
    // Ended from outside: whoever did that does not wait for an outcome.
    io.signal.throwIfAborted()
    outcome = { objects: 0, changed: 0, deleted: 0, errors: [messageOf(error)], warnings: [] }
  }
  await writeFile(options.outcome, encodeOutcome(outcome))
  for (const warning of outcome.warnings) io.stderr.write(`warning: ${presentable(warning)}\n`)
  for (const error of outcome.errors) io.stderr.write(`error: ${presentable(error)}\n`)
  const { objects, changed, deleted, errors } = outcome
  io.stderr.write(`${objects} objects, ${changed} changed, ${deleted} deleted\n`)
  if (errors.length > 0) throw new CliError('the run failed')
}

async function carryOut(
  io: Io,
  { cacheFolder }: RunEnvironmentOptions,
  request: JobRequest,
  credential: Credential | undefined,
  kube: KubeClient,
): Promise<EngineOutcome> {
  const { clock, env: environment, signal } = io
  const git = new GitStore({ folder: join(cacheFolder, 'git'), clock })
  const sources = new ProjectSources({ git, clock })
  try {
    const tools = new Tools({ cacheFolder, environment, progress: silentProgress, clock })
    const clusterId = () => Promise.resolve(request.clusterId)
    const parts = { git, sources, tools, cacheFolder: join(cacheFolder, 'engine') }
    const options = { ...parts, clusterId, clock, random: Math.random }
    const asked = { ...request, serviceAccount: '', kube, credential: () => Promise.resolve(credential) }
    return await engineDeployer(options)(asked, signal, controlsOf(io, request.discriminator))
  } finally {
    await sources.close()
  }
}

/** Steps go to the log; the discriminator is the one that the controller has recorded, or nothing is deployed. */
function controlsOf(io: Io, expected: string): RunControls {
  let last = ''
  const step = (what: string) => {
    if (what !== last) io.stderr.write(`${presentable(what)}\n`)
    last = what
  }
  return {
    step,
    announce: step,
    claim: async discriminator => {
      if (discriminator === expected) return
      throw new OffshootError(
        `the project renders with discriminator ${JSON.stringify(discriminator)}, but ${JSON.stringify(expected)} was recorded for it: nothing was deployed`,
      )
    },
  }
}

async function credentialOf(folder: string): Promise<Credential | undefined> {
  let content: string
  try {
    content = await text(folder, credentialFile)
  } catch (error) {
    // The repository is open to everybody.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const fields = Object.entries(parseRequestFile(JobCredential, credentialFile, content))
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined))
}

async function text(folder: string, name: string): Promise<string> {
  const path = join(folder, name)
  const { size } = await stat(path)
  if (size > maxFile) throw new OffshootError(`${name} is larger than ${maxFile} bytes`)
  return readFile(path, 'utf8')
}
