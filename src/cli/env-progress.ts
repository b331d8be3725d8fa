import type { Blocker, ReviewEnvironment } from '../api/index.ts'
import { findCondition } from '../api/index.ts'
import type { KubeClient } from '../kube/client.ts'
import { KubeConnectionError } from '../kube/errors.ts'
import { environmentKind } from './cluster.ts'
import { stateColour } from './env-list.ts'
import { CliError, exitCodes } from './exit.ts'
import { hasColour, type Io, printable } from './io.ts'
import { paint } from './output.ts'

/** What `env wait` waits for. */
export type Goal = 'ready' | 'gone'

/** How often a waiting command looks, in milliseconds. */
const lookEvery = 1_000

/** Which environment to wait for, and how. */
export interface WaitFor {
  namespace: string
  name: string
  goal: Goal
  /** In milliseconds. */
  timeout: number
}

/**
 * Waits until an environment is ready with the wanted commit, or gone, and tells on standard error what changes.
 * Gives the environment as last seen.
 * @throws CliError: timed out, not there at all (ready), or stalled, which waiting does not mend.
 */
export async function waitForEnvironment(
  kube: KubeClient,
  wait: WaitFor,
  io: Io,
): Promise<ReviewEnvironment | undefined> {
  const end = io.clock.now() + wait.timeout
  let seen: ReviewEnvironment | undefined
  let told: string | undefined
  for (;;) {
    try {
      const key = { ...environmentKind, namespace: wait.namespace, name: wait.name }
      const now = await kube.get<ReviewEnvironment>(key, { signal: io.signal })
      if (now === undefined && wait.goal === 'gone') return seen
      if (now === undefined) throw missing(wait, seen)
      seen = now
      const line = progressLine(now, io)
      if (line !== told) io.stderr.write(`${line}\n`)
      told = line
      if (wait.goal === 'ready' && isReady(now)) return now
      if (wait.goal === 'ready') refuseHopeless(now)
    } catch (error) {
      // A connection may come back before the time is up.
      if (!(error instanceof KubeConnectionError)) throw error
      if (told !== error.message) io.stderr.write(`${error.message}\n`)
      told = error.message
    }
    const left = end - io.clock.now()
    if (left <= 0) throw timedOut(wait, seen)
    await io.clock.sleep(Math.min(lookEvery, left), io.signal)
  }
}

/** Whether the environment runs the commit it should. */
export function isReady({ metadata, spec, status }: ReviewEnvironment): boolean {
  if (metadata.deletionTimestamp !== undefined || spec.revision === undefined) return false
  const ready = findCondition(status?.conditions, 'Ready')
  const current = (ready?.observedGeneration ?? status?.observedGeneration) === metadata.generation
  return ready?.status === 'True' && current && status?.deployedRevision === spec.revision
}

/** A blocker in words: the object, what holds it and why. */
export function describeBlocker({ apiVersion, kind, namespace, name, finalizers = [], message }: Blocker): string {
  const object = `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name} (${apiVersion})`
  const held = finalizers.length > 0 ? ` held by ${finalizers.join(', ')}` : ''
  return `${object}${held}${message === undefined ? '' : `: ${message}`}`
}

function progressLine(environment: ReviewEnvironment, io: Io): string {
  const { metadata, status } = environment
  const state = status?.state ?? 'Pending'
  const message = findCondition(status?.conditions, 'Ready')?.message ?? ''
  const blocker = status?.blockers?.[0]
  const detail = blocker ? describeBlocker(blocker) : message
  const painted = paint(state.padEnd(9), stateColour(state), hasColour(io.stderr, io.env))
  return `${metadata.name}  ${painted}  ${printable(detail)}`.trimEnd()
}

function refuseHopeless({ metadata, status }: ReviewEnvironment): void {
  if (metadata.deletionTimestamp !== undefined) {
    throw new CliError(`environment "${metadata.name}" is being deleted`, exitCodes.failure)
  }
  const stalled = findCondition(status?.conditions, 'Stalled')
  if (stalled?.status !== 'True') return
  if (stalled.observedGeneration !== undefined && stalled.observedGeneration !== metadata.generation) return
  const show = `offshoot env show ${metadata.name} -n ${metadata.namespace}`
  throw new CliError(`stalled (${stalled.reason}): ${printable(stalled.message)}`, exitCodes.failure, show)
}

function missing({ namespace, name }: WaitFor, seen: ReviewEnvironment | undefined): CliError {
  return seen
    ? new CliError(`environment "${name}" was deleted while waiting for it`, exitCodes.failure)
    : new CliError(`no environment "${name}" in namespace "${namespace}"`, exitCodes.notFound)
}

function timedOut({ namespace, name, goal, timeout }: WaitFor, seen: ReviewEnvironment | undefined): CliError {
  const state = seen?.status?.state
  const last = state === undefined ? 'the controller has not looked at it' : `it is ${state}`
  const hint = state === undefined ? 'is offshoot serve running?' : `offshoot env show ${name} -n ${namespace}`
  return new CliError(`"${name}" is not ${goal} after ${timeout / 1000} s: ${last}`, exitCodes.timedOut, hint)
}
