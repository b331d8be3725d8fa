import { describe, expect, it } from 'vitest'
import type { ReviewEnvironment } from '../../src/api/index.ts'
import type { BackendContext, Observation } from '../../src/backend/backend.ts'
import type { EngineOutcome } from '../../src/backend/engine/outcome.ts'
import { EngineRuns, type RunControls } from '../../src/backend/engine/runs.ts'
import { type EngineRequest, engineBackend } from '../../src/backend/engine.ts'
import type { Holder } from '../../src/backend/kluctl/discriminators.ts'
import { ProjectError } from '../../src/backend/project-error.ts'
import type { DesiredEnvironment } from '../../src/environment/desired.ts'
import type { KubeClient } from '../../src/kube/client.ts'
import { silentLogger } from '../../src/util/log.ts'
import { FakeClock } from '../controller/fake-clock.ts'
import { waitFor } from '../harness/wait.ts'

const shas = { first: 'a'.repeat(40), second: 'b'.repeat(40) }
const done: EngineOutcome = { objects: 3, changed: 3, deleted: 0, errors: [], warnings: [] }

/** One run that a test carries out by hand. */
interface Job {
  request: EngineRequest
  signal: AbortSignal
  controls: RunControls
  readonly end: (outcome: Partial<EngineOutcome>) => void
  readonly fail: (error: Error) => void
}

/** A backend with one environment, whose runs are in the hands of the test. */
function world() {
  const clock = new FakeClock()
  const jobs: Job[] = []
  const others: Holder[] = []
  const environment = {
    apiVersion: 'offshoot.dev/v1alpha1',
    kind: 'ReviewEnvironment',
    metadata: { namespace: 'team', name: 'shop-pr-1', uid: 'u-1', creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { projectRef: { name: 'shop' }, change: { pullRequest: 1 }, origin: 'automatic' },
    status: {},
  } as unknown as ReviewEnvironment
  let woken = 0
  const begin = () =>
    engineBackend({
      runs: new EngineRuns({ clock }),
      discriminators: { claim: () => others },
      jobs: false,
      carryOut: (request, signal, controls) =>
        new Promise((resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason))
          const end = (outcome: Partial<EngineOutcome>) => resolve({ ...done, ...outcome })
          jobs.push({ request, signal, controls, end, fail: reject })
        }),
      wake: () => void woken++,
    })
  let backend = begin()
  const context = (): BackendContext => ({
    environment,
    namespace: 'shop-pr-1',
    serviceAccount: 'renv-shop-pr-1',
    kube: { as: () => ({}) } as unknown as KubeClient,
    credentials: { own: () => Promise.resolve(undefined), secret: () => Promise.reject(new Error('no Secrets')) },
    record: async facts => void Object.assign(environment.status ?? {}, facts),
    clock,
    log: silentLogger,
    signal: new AbortController().signal,
  })
  return {
    environment,
    others,
    jobs,
    /** One look, as the reconciler takes it. */
    look: async (revision = shas.first): Promise<Observation> => {
      const at = context()
      await backend.apply(at, desired(revision))
      const observation = await backend.observe(at, desired(revision))
      if (observation.engine !== undefined) Object.assign(environment.status ?? {}, { engine: observation.engine })
      return observation
    },
    job: async (index: number): Promise<Job> => {
      await waitFor(() => jobs.length > index, { describe: `run ${index + 1}` })
      return jobs[index] as Job
    },
    /** How often runs have asked for a look. */
    wakes: () => woken,
    /** Waits until runs have asked for a look this often. */
    woken: async (times: number) => void (await waitFor(() => woken >= times, { describe: `look ${times}` })),
    later: (milliseconds: number) => clock.advance(milliseconds),
    restart: async () => {
      await backend.close?.()
      backend = begin()
    },
  }
}

function desired(revision: string): DesiredEnvironment {
  return {
    name: 'shop-pr-1',
    namespace: { name: 'shop-pr-1', labels: {}, annotations: {} },
    clusterRole: 'edit',
    url: '',
    revision,
    backend: {
      kind: 'engine',
      source: { url: 'https://git.example.com/shop.git', path: '', ref: { commit: revision }, ownRepository: true },
      args: {},
      images: [],
      prune: true,
      interval: 600_000,
      readinessTimeout: 60_000,
      keepResults: 5,
      allow: { vars: [], urls: [] },
      runner: 'inline',
    },
  }
}

describe('backend engine', () => {
  it('deploys beside the reconciles, says what it does, and is ready when that has ended', async () => {
    const { look, job, woken, environment } = world()
    expect(await look()).toMatchObject({ phase: 'deploying' })
    const { request, controls, end } = await job(0)
    expect(request).toMatchObject({ mode: 'deploy', namespace: 'shop-pr-1', revision: shas.first })
    controls.step('applies 3 objects')
    expect(await look()).toMatchObject({ phase: 'deploying', message: 'applies 3 objects' })
    end({ warnings: ['one is old'] })
    await woken(1)
    expect(await look()).toMatchObject({ phase: 'ready', message: '3 objects are ready, 1 warning' })
    expect(environment.status?.engine).toMatchObject({ result: 'succeeded', objects: 3, revision: shas.first })
  })

  it('tells what takes long: after five seconds, and of what it does then ever less often', async () => {
    const { look, job, woken, wakes, later } = world()
    await look()
    const { controls } = await job(0)
    controls.step('renders the project')
    await later(4_999)
    expect(wakes()).toBe(0)
    expect(await look()).toMatchObject({ reason: 'Deploying' })
    controls.step('waits until 2 of 3 objects are ready')
    await later(1)
    await woken(1)
    const message = 'waits until 2 of 3 objects are ready'
    expect(await look()).toMatchObject({ phase: 'deploying', reason: 'Progressing', message })
    await later(60_000)
    expect(wakes()).toBe(1)
    controls.step('waits until 1 of 3 objects are ready')
    await later(5_000)
    controls.step('waits until 0 of 3 objects are ready')
    await later(5_000)
    expect(wakes()).toBe(2)
    await later(20_000)
    expect(wakes()).toBe(2)
    expect(await look()).toMatchObject({ message: 'waits until 1 of 3 objects are ready' })
    await later(10_000)
    expect(wakes()).toBe(3)
  })

  it('deploys once: neither a second look nor a new process begins again', async () => {
    const { look, job, jobs, woken, restart } = world()
    await look()
    await look()
    const { end } = await job(0)
    end({})
    await woken(1)
    await look()
    await restart()
    expect(await look()).toMatchObject({ phase: 'ready' })
    expect(jobs).toHaveLength(1)
  })

  it('begins again what was cut off with its process', async () => {
    const { look, job, restart } = world()
    await look()
    const { signal } = await job(0)
    await restart()
    expect(signal.aborted).toBe(true)
    expect(await look()).toMatchObject({ phase: 'deploying' })
    expect((await job(1)).request.mode).toBe('deploy')
  })

  it('goes to the newest commit: what the one before has not begun is left', async () => {
    const { look, job, woken } = world()
    await look(shas.first)
    const first = await job(0)
    expect(await look(shas.second)).toMatchObject({ phase: 'deploying' })
    expect(first.signal.aborted).toBe(true)
    const second = await job(1)
    expect(second.request.revision).toBe(shas.second)
    second.end({})
    await woken(1)
    expect(await look(shas.second)).toMatchObject({ phase: 'ready', revision: shas.second })
  })

  it('says what failed, and tries again after ever longer waits', async () => {
    const { look, job, jobs, woken, later } = world()
    await look()
    const first = await job(0)
    first.end({ errors: ['ConfigMap/a: refused', 'password: hunter2'] })
    await woken(1)
    const failed = await look()
    expect(failed).toMatchObject({ phase: 'failed', recheckAfter: 5_000 })
    expect(failed.message).toContain('ConfigMap/a: refused')
    expect(failed.message).not.toContain('hunter2')
    await later(5_000)
    await look()
    const second = await job(1)
    second.fail(new Error('the repository is away'))
    await woken(2)
    expect(await look()).toMatchObject({ phase: 'failed', message: 'the repository is away', recheckAfter: 10_000 })
    expect(jobs).toHaveLength(2)
    await later(10_000)
    await look()
    const third = await job(2)
    third.end({})
    await woken(3)
    expect(await look()).toMatchObject({ phase: 'ready' })
  })

  it('calls nothing failed while the project’s host is away, says so, and tries again after ever longer waits', async () => {
    const { look, job, jobs, woken, later, environment } = world()
    const away = new ProjectError('ProjectUnavailable', 'deploy of https://git: away', { transient: true })
    const told = {
      phase: 'deploying',
      reason: 'Progressing',
      message: 'deploy of https://git: away; it is tried again',
    }
    await look()
    const first = await job(0)
    first.fail(away)
    await woken(1)
    expect(await look()).toMatchObject({ ...told, recheckAfter: 5_000 })
    expect(environment.status?.engine).toBeUndefined()
    await later(5_000)
    expect(await look()).toMatchObject(told)
    const second = await job(1)
    second.fail(away)
    await woken(2)
    expect(await look()).toMatchObject({ ...told, recheckAfter: 10_000 })
    expect(jobs).toHaveLength(2)
    await later(10_000)
    await look()
    const third = await job(2)
    void third.controls.claim('shop-1')
    expect(await look()).toMatchObject({ phase: 'deploying', reason: 'Deploying' })
    third.end({})
    await woken(4)
    expect(await look()).toMatchObject({ phase: 'ready' })
  })

  it('lets nothing carry a discriminator before that is recorded', async () => {
    const { look, job, woken, environment } = world()
    await look()
    const { controls } = await job(0)
    let granted = false
    void controls.claim('shop-1').then(() => (granted = true))
    await woken(1)
    expect(granted).toBe(false)
    await look()
    expect(environment.status?.discriminators).toEqual(['shop-1'])
    await waitFor(() => granted, { describe: 'the discriminator' })
  })

  it('deploys nothing with a discriminator of others, until they are gone', async () => {
    const { look, job, woken, others, environment } = world()
    others.push({ kind: 'ReviewEnvironment', namespace: 'team', name: 'other' })
    await look()
    const { controls, signal } = await job(0)
    controls.claim('shop-1').catch(() => undefined)
    await woken(1)
    expect(await look()).toMatchObject({ phase: 'stalled', reason: 'DiscriminatorTaken' })
    expect(signal.aborted).toBe(true)
    expect(environment.status?.discriminators).toBeUndefined()
    expect(await look()).toMatchObject({ phase: 'stalled' })
    others.pop()
    await look()
    expect((await job(1)).request.mode).toBe('deploy')
  })

  it('compares what runs at its interval, and shows what differs while it stays ready', async () => {
    const { look, job, jobs, woken, later } = world()
    await look()
    const { end } = await job(0)
    end({})
    await woken(1)
    expect(await look()).toMatchObject({ phase: 'ready', recheckAfter: 600_000 })
    await later(600_000)
    expect(await look()).toMatchObject({ phase: 'ready' })
    const comparison = await job(1)
    expect(comparison.request.mode).toBe('compare')
    comparison.end({ changed: 2 })
    await woken(2)
    const drifted = '3 objects are ready, 2 differ from the project by now'
    expect(await look()).toMatchObject({ phase: 'ready', message: drifted, recheckAfter: 600_000 })
    expect(jobs).toHaveLength(2)
  })

  it('is ready no more when a comparison finds objects that are not, and looks again soon', async () => {
    const { look, job, woken, later } = world()
    await look()
    const { end } = await job(0)
    end({})
    await woken(1)
    expect(await look()).toMatchObject({ phase: 'ready' })
    const compareTo = async (index: number, after: number, outcome: Partial<EngineOutcome>) => {
      await later(after)
      await look()
      const comparison = await job(index)
      comparison.end(outcome)
      await woken(index + 1)
      return look()
    }
    const unready = await compareTo(1, 600_000, { unready: ['Deployment/web: 0 of 1 replicas'] })
    expect(unready).toMatchObject({ phase: 'deploying', reason: 'ObjectsNotReady', recheckAfter: 60_000 })
    expect(unready.message).toBe('Deployment/web: 0 of 1 replicas')
    const failing = await compareTo(2, 60_000, { unready: ['Deployment/web: no'], failing: ['Job/seed: failed'] })
    expect(failing).toMatchObject({ phase: 'failed', reason: 'ObjectsFailed' })
    expect(failing.message).toBe('Job/seed: failed\nDeployment/web: no')
    expect(await compareTo(3, 60_000, {})).toMatchObject({ phase: 'ready', recheckAfter: 600_000 })
  })
})
