import { byHandOf, type EngineRecord, longDeploying } from '../api/index.ts'
import type { DesiredEngine, DesiredEnvironment } from '../environment/desired.ts'
import type { KubeClient } from '../kube/client.ts'
import { timestamp } from '../util/clock.ts'
import type { Credential } from '../util/credential.ts'
import { OffshootError, TerminalError } from '../util/errors.ts'
import type { Backend, BackendContext, Observation, Teardown } from './backend.ts'
import { digestOf } from './digest.ts'
import { stepAside } from './engine/by-hand.ts'
import { claimDiscriminator, type Refusal } from './engine/claim.ts'
import { nextRun } from './engine/due.ts'
import { ownerOf, removeJobs } from './engine/jobs.ts'
import { comparedRecord, type EngineOutcome, type RunMode, recordOf } from './engine/outcome.ts'
import { logCommand } from './engine/run-job.ts'
import type { EngineRuns, Run, RunControls } from './engine/runs.ts'
import { stageOf } from './engine/stages.ts'
import { gitCredentialFor } from './git-credential.ts'
import type { Discriminators } from './kluctl/discriminators.ts'
import { removeRemains } from './kluctl/remains.ts'
import { blockerOf } from './kluctl/teardown.ts'
import { presentable } from './mask.ts'
import { clientOf } from './objects/identity.ts'
import { isOverdue, recheckWhileWaiting } from './waiting.ts'

/** What one run is asked for. */
export interface EngineRequest {
  readonly mode: RunMode
  readonly desired: DesiredEngine
  /** Of what is deployed. */
  readonly digest: string
  /** Of the change. */
  readonly revision: string
  /** The environment's; objects that name none go there. */
  readonly namespace: string
  /** Where the project's secrets are. */
  readonly projectNamespace: string
  /** Name of the ReviewProject. */
  readonly project: string
  readonly environment: { readonly name: string; readonly uid: string }
  /** Name of the environment's own account, in the project's namespace. */
  readonly serviceAccount: string
  /** Acts as the environment's own account. */
  readonly kube: KubeClient
  /** What opens the project's repository. */
  readonly credential: () => Promise<Credential | undefined>
}

/** What the backend needs of the engine and of the controller. */
export interface EngineServices {
  readonly runs: EngineRuns
  readonly discriminators: Discriminators
  /** Carries out one deployment or comparison, claiming the discriminator before anything carries it. */
  readonly carryOut: (request: EngineRequest, signal: AbortSignal, controls: RunControls) => Promise<EngineOutcome>
  /** Whether it can do so in Jobs. */
  readonly jobs: boolean
  /** Asks for another look at an environment. */
  readonly wake: (environment: { namespace: string; name: string }) => void
}

/** When to look again at what waits for another environment or a person, in milliseconds. */
const recheckStalled = 60_000
const noRunner =
  'spec.deploy.engine.runner is job, but this installation has no image to run: `offshoot serve` needs --runner-image'
/** Most objects, or errors, that a message names. */
const maxNamed = 5
/** How long objects may take to go before their namespace is deleted over them. */
const remainsDeadline = 60_000

/**
 * Backend `engine`: the Kluctl project is rendered in a caged worker and deployed as the environment's account. A
 * deployment takes as long as it takes, beside the reconciles: `apply` begins it, and it asks for a look when it ends.
 */
export function engineBackend(services: EngineServices): Backend {
  const { runs } = services
  // What `apply` found, for the `observe` of the same reconcile.
  const answers = new WeakMap<BackendContext, Observation>()
  return {
    name: 'engine',
    async apply(context, desired) {
      const backend = engineOf(desired)
      const byHand = byHandOf(context.environment)
      if (byHand !== undefined) {
        // Of this very mark: another one may be there when what was seen is told, of which nothing is done yet.
        answers.set(context, await stepAside(context, services, byHand))
        return
      }
      if (backend.runner === 'job' && !services.jobs) throw new TerminalError('RunnerMissing', noRunner)
      const wanted = wantedOf(context, desired, backend)
      const refused = await answerClaim(context, services, wanted)
      if (refused !== undefined) {
        answers.set(context, { phase: 'stalled', ...refused, recheckAfter: recheckStalled })
        return
      }
      const { run: mode } = next(context, runs, wanted)
      if (mode !== undefined) begin(context, services, mode, wanted, backend)
    },
    async observe(context, desired) {
      const answer = answers.get(context)
      if (answer !== undefined) return answer
      return observe(context, runs, wantedOf(context, desired, engineOf(desired)))
    },
    teardown: context => teardown(context, runs),
    close: () => runs.close(),
  }
}

function engineOf({ backend }: DesiredEnvironment): DesiredEngine {
  if (backend.kind !== 'engine') throw new OffshootError(`backend engine was asked for ${backend.kind}`)
  return backend
}

/** What is to be deployed, in short. */
interface Wanted {
  digest: string
  revision: string
  interval: number
}

/** The digest is of all that the deployed objects depend on: not of how often they are compared, where, and what is kept. */
function wantedOf(context: BackendContext, { revision }: DesiredEnvironment, desired: DesiredEngine): Wanted {
  const { interval, runner: _runner, keepResults: _keepResults, ...rest } = desired
  const { namespace, serviceAccount: account } = context
  return { digest: digestOf({ ...rest, revision, namespace, account }), revision, interval }
}

function next(context: BackendContext, runs: EngineRuns, wanted: Wanted): ReturnType<typeof nextRun> {
  const run = runs.get(context.environment.metadata.uid ?? '')
  const { interval, digest } = wanted
  return nextRun(digest, recordNow(context, run, wanted), run, { now: context.clock.now(), interval })
}

function begin(
  context: BackendContext,
  { runs, carryOut, wake }: EngineServices,
  mode: RunMode,
  { digest, revision }: Wanted,
  desired: DesiredEngine,
): void {
  const { metadata, spec } = context.environment
  const { namespace, name, uid = '' } = metadata
  const request: EngineRequest = {
    mode,
    desired,
    revision,
    digest,
    namespace: context.namespace,
    projectNamespace: namespace,
    project: spec.projectRef.name,
    environment: { name, uid },
    serviceAccount: context.serviceAccount,
    kube: clientOf(context, undefined),
    credential: () => gitCredentialFor(context.credentials, desired.source),
  }
  runs.start(
    uid,
    { digest, mode, elsewhere: desired.runner === 'job' },
    (signal, controls) => carryOut(request, signal, controls),
    () => wake({ namespace, name }),
  )
}

/** Answers a run that asks for a discriminator, or was refused it. Gives why it may not be used. */
async function answerClaim(
  context: BackendContext,
  { runs, discriminators }: EngineServices,
  { digest }: Wanted,
): Promise<Refusal | undefined> {
  const { uid = '' } = context.environment.metadata
  const run = runs.get(uid)
  if (run?.digest !== digest || run.claim === undefined) return undefined
  const refusal = await claimDiscriminator(context, discriminators, run.claim.discriminator)
  if (refusal === undefined) runs.grant(uid)
  else runs.refuse(uid)
  return refusal
}

/** The last deployment: as this process knows it where that is newer, else as the status has it. */
function recordNow(context: BackendContext, run: Run | undefined, wanted: Wanted): EngineRecord | undefined {
  const recorded = context.environment.status?.engine
  if (run?.digest !== wanted.digest || run.outcome === undefined) return recorded
  const ended = timestamp(run.endedAt)
  const known = recorded?.digest === wanted.digest ? recorded : undefined
  if (run.mode === 'deploy') {
    return known !== undefined && known.finished >= ended ? known : recordOf(run.outcome, wanted, run.endedAt, recorded)
  }
  if (known === undefined || (known.compared ?? '') >= ended) return recorded
  return comparedRecord(known, run.outcome, run.endedAt)
}

function observe(context: BackendContext, runs: EngineRuns, wanted: Wanted): Observation {
  const run = runs.get(context.environment.metadata.uid ?? '')
  const record = recordNow(context, run, wanted)
  const { recheckAfter } = next(context, runs, wanted)
  const { revision, digest } = wanted
  const common = { revision, recheckAfter, ...(record === undefined ? {} : { engine: record }) }
  if (record?.digest !== digest || (run?.working === true && run.mode === 'deploy')) {
    return { ...common, phase: 'deploying', ...progressOf(run) }
  }
  if (record.result === 'failed') {
    const errors = record.errors ?? []
    const log =
      record.job === undefined ? [] : [`its log: ${logCommand(context.environment.metadata.namespace, record.job)}`]
    const message = [...errors.slice(0, maxNamed), ...log].join('\n')
    return { ...common, phase: 'failed', reason: 'DeployFailed', message }
  }
  const { unready = [], failing = [] } = record
  const trouble = { ...common, message: [...failing, ...unready].slice(0, maxNamed).join('\n') }
  if (failing.length > 0) return { ...trouble, phase: 'failed', reason: 'ObjectsFailed' }
  if (unready.length > 0) return { ...trouble, phase: 'deploying', reason: 'ObjectsNotReady' }
  return { ...common, phase: 'ready', reason: 'ObjectsReady', message: readyMessage(record) }
}

/** What a deployment does. What takes long is told on the change too, which costs a request to the forge. */
function progressOf(run: Run | undefined): Pick<Observation, 'reason' | 'message'> {
  if (run?.obstacle !== undefined) {
    return { reason: longDeploying, message: presentable(`${run.obstacle}; it is tried again`) }
  }
  if (run?.working !== true) return { reason: 'Deploying', message: 'waits for its turn' }
  const reason = run.told === undefined ? 'Deploying' : longDeploying
  return { reason, message: presentable(run.told ?? run.step) }
}

function readyMessage({ objects, drifted = 0, warnings = [] }: EngineRecord): string {
  const parts = [`${objects} ${objects === 1 ? 'object is' : 'objects are'} ready`]
  if (drifted > 0) parts.push(`${drifted} differ from the project by now`)
  if (warnings.length > 0) parts.push(`${warnings.length} ${warnings.length === 1 ? 'warning' : 'warnings'}`)
  return parts.join(', ')
}

/** Ends what is being deployed, then removes what carries one of the recorded discriminators, the last stage first. */
async function teardown(context: BackendContext, runs: EngineRuns): Promise<Teardown> {
  await runs.stop(context.environment.metadata.uid ?? '')
  // What a Job still deploys would not be found.
  const jobs = await removeJobs(context.kube, ownerOf(context.environment), context.signal)
  const { stages = [] } = context.environment.status?.engine ?? {}
  const { remains } = jobs.length > 0 ? { remains: [] } : await removeRemains(context, live => stageOf(stages, live))
  const gone = jobs.length === 0 && remains.length === 0
  return {
    gone,
    blockers: [...jobs.map(live => blockerOf({ live })), ...remains.map(blockerOf)],
    proceed: gone || isOverdue(context, remainsDeadline),
    ...(gone ? {} : { recheckAfter: recheckWhileWaiting(context) }),
  }
}
