import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { EngineRecord, ReviewEnvironment } from '../../src/api/index.ts'
import type { BackendContext } from '../../src/backend/backend.ts'
import { nextRun, type RunState } from '../../src/backend/engine/due.ts'
import { observeDeployment } from '../../src/backend/kluctl/observe.ts'
import { request } from '../../src/backend/kluctl/requests.ts'
import { type KluctlDeployment, KluctlStatus, parseDeployment } from '../../src/backend/kluctl/resource.ts'
import { observeObjects } from '../../src/backend/objects/observe.ts'
import { holdMilliseconds, isHolding } from '../../src/backend/waiting.ts'
import type { ControllerContext } from '../../src/controller/context.ts'
import { StatusDraft } from '../../src/controller/status-draft.ts'
import { teardown } from '../../src/controller/teardown.ts'
import { judgeObject } from '../../src/engine/cluster/readiness.ts'
import type { StatusRequirements } from '../../src/engine/cluster/status-requirement.ts'
import type { KubeObject } from '../../src/kube/types.ts'
import { timestamp } from '../../src/util/clock.ts'
import { FakeClock } from '../controller/fake-clock.ts'

const minute = 60_000
const hour = 60 * minute
const interval = 10 * minute

/** What another machine would write after `milliseconds`, as its clock is an hour ahead. */
function ahead(clock: FakeClock, milliseconds = 0): string {
  return timestamp(clock.now() + hour + milliseconds)
}

function record(result: EngineRecord['result'], at: string): EngineRecord {
  return { digest: 'd', result, finished: at, compared: at } as EngineRecord
}

function ended(clock: FakeClock, failures: number): RunState {
  return { digest: 'd', mode: 'deploy', working: false, failures, endedAt: clock.now() }
}

function contextAt(clock: FakeClock): BackendContext {
  const environment: ReviewEnvironment = {
    apiVersion: 'offshoot.dev/v1alpha1',
    kind: 'ReviewEnvironment',
    metadata: { namespace: 'team', name: 'shop-pr-1', uid: 'u1' },
    spec: { projectRef: { name: 'shop' } },
  } as ReviewEnvironment
  return { environment, namespace: 'shop-pr-1', clock } as unknown as BackendContext
}

describe('a time written by a machine whose clock is an hour ahead', () => {
  it('does not put off the next comparison of a deployment, nor make it endless', () => {
    const clock = new FakeClock()
    const deployed = record('succeeded', ahead(clock))
    expect(nextRun('d', deployed, undefined, { now: clock.now(), interval }).run).toBe('compare')
    const mine = ended(clock, 0)
    const after = nextRun('d', deployed, mine, { now: clock.now(), interval })
    expect(after).toEqual({ recheckAfter: interval })
    expect(nextRun('d', deployed, mine, { now: clock.now() + interval, interval }).run).toBe('compare')
  })

  it('does not put off the next try of a failed deployment, nor make it tireless', () => {
    const clock = new FakeClock()
    const failed = record('failed', ahead(clock))
    expect(nextRun('d', failed, undefined, { now: clock.now(), interval }).run).toBe('deploy')
    const after = nextRun('d', failed, ended(clock, 1), { now: clock.now(), interval })
    expect(after).toEqual({ recheckAfter: 5_000 })
  })

  it('does not let an object that is being deleted hold up the others', async () => {
    const clock = new FakeClock()
    const deleted = (deletionTimestamp: string, deletionGracePeriodSeconds = 0) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'x', deletionTimestamp, deletionGracePeriodSeconds },
    })
    const context = contextAt(clock)
    expect(isHolding(context, deleted(ahead(clock)))).toBe(false)
    // The deletion of a pod is written as it will be: when its grace ends.
    expect(isHolding(context, deleted(ahead(clock), 3_600))).toBe(true)
    const soon = deleted(timestamp(clock.now() + 5_000))
    expect(isHolding(context, soon)).toBe(true)
    await clock.advance(holdMilliseconds + 5_000)
    expect(isHolding(context, soon)).toBe(false)
  })

  it('does not keep an object without a status waiting for its controller', () => {
    const clock = new FakeClock()
    const key = { apiVersion: 'example.com/v1', kind: 'Shop', namespace: 'shop-pr-1', name: 'shop' }
    const prepared = { id: 'shop', key, digest: 'd', reports: true }
    const live = (creationTimestamp: string) => ({
      apiVersion: key.apiVersion,
      kind: key.kind,
      metadata: { name: 'shop', creationTimestamp, annotations: { 'offshoot.dev/digest': 'd' } },
    })
    const observed = (created: string) =>
      observeObjects(contextAt(clock), 'sha', [prepared as never], new Map([['shop', { live: live(created) }]])).phase
    expect(observed(timestamp(clock.now()))).toBe('deploying')
    expect(observed(ahead(clock))).toBe('ready')
  })

  it('does not keep the engine waiting for a status either', async () => {
    const clock = new FakeClock()
    const requirements = { of: () => Promise.resolve('yes') } as unknown as StatusRequirements
    const judged = async (creationTimestamp: string) => {
      const shop = { apiVersion: 'example.com/v1', kind: 'Shop', metadata: { name: 'shop', creationTimestamp } }
      return judgeObject(requirements, clock, shop, { waiting: true, hook: false })
    }
    expect((await judged(ahead(clock))).judgement.ready).toBe(true)
    const { readyAt } = await judged(timestamp(clock.now() + 10_000))
    expect(readyAt).toBe(clock.now() + 15_001)
  })

  it('does not make a deployment by kluctl seem young', async () => {
    const clock = new FakeClock()
    const file = join(import.meta.dirname, '..', 'fixtures', 'kluctl-controller', 'prepare-failed.json')
    const object = JSON.parse(readFileSync(file, 'utf8')) as KubeObject
    object.metadata.annotations = { 'kluctl.io/request-reconcile': '{"requestValue":"waits"}' }
    Object.assign(object.status as object, { lastDeployResult: { commandInfo: { endTime: ahead(clock) } } })
    const context = contextAt(clock)
    context.environment.status = { times: { applied: timestamp(clock.now() - 10 * minute) } }
    const backend = { ownRepository: true } as Parameters<typeof observeDeployment>[1]
    const observed = await observeDeployment(context, backend, 'sha', parseDeployment(object))
    // A fifth of the age.
    expect(observed).toMatchObject({ reason: 'PrepareFailed', recheckAfter: 2 * minute })
  })

  it('does not prolong the patience of a teardown: who goes on with it counts from its own now', async () => {
    const clock = new FakeClock()
    const { environment } = contextAt(clock)
    environment.metadata.finalizers = ['offshoot.dev/teardown']
    environment.status = { times: { teardownStarted: ahead(clock) } }
    const context = { clock, kube: { getMetadata: () => Promise.resolve(undefined) } } as unknown as ControllerContext
    const draft = new StatusDraft(context, environment)
    draft.release = () => Promise.resolve()
    const { signal } = new AbortController()
    await teardown(context, draft, signal)
    expect(draft.status.times?.teardownStarted).toBe(timestamp(clock.now()))
    await clock.advance(minute)
    const later = new StatusDraft(context, { ...environment, status: draft.status })
    later.release = () => Promise.resolve()
    await teardown(context, later, signal)
    expect(later.status.times?.teardownStarted).toBe(draft.status.times?.teardownStarted)
  })
})

describe('requests to a kluctl controller whose clock is an hour ahead', () => {
  /** Asks at every step for `length` milliseconds; gives when it asked. The controller answers at once. */
  async function asked(clock: FakeClock, length: number): Promise<number[]> {
    const times: number[] = []
    let status: KluctlStatus = KluctlStatus.parse({ validateRequestResult: { endTime: ahead(clock) } })
    const kube = {
      patch: async (_key: unknown, { metadata }: { metadata: { annotations: Record<string, string> } }) => {
        const { requestValue } = JSON.parse(metadata.annotations['kluctl.io/request-validate'] ?? '') as {
          requestValue: string
        }
        times.push(clock.now())
        const answer = { request: { requestValue }, startTime: ahead(clock), endTime: ahead(clock) }
        status = KluctlStatus.parse({ validateRequestResult: answer })
      },
    }
    const context = { ...contextAt(clock), kube } as unknown as BackendContext
    const began = clock.now()
    while (clock.now() < began + length) {
      const deployment: KluctlDeployment = {
        object: { apiVersion: 'gitops.kluctl.io/v1beta1', kind: 'KluctlDeployment', metadata: { name: 'x' } },
        spec: {},
        status,
      }
      await request(context, deployment, 'validate', minute)
      await clock.advance(1_000)
    }
    return times.map(time => time - began)
  }

  it('are made at once, and then as seldom as ever', async () => {
    expect(await asked(new FakeClock(), minute)).toEqual([0, 12_000, 24_000, 36_000, 48_000])
  })
})
