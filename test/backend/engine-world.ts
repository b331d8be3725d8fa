import type { ReviewEnvironment } from '../../src/api/index.ts'
import type { BackendContext, Observation } from '../../src/backend/backend.ts'
import type { EngineOutcome } from '../../src/backend/engine/outcome.ts'
import { EngineRuns, type RunControls } from '../../src/backend/engine/runs.ts'
import { type EngineRequest, engineBackend } from '../../src/backend/engine.ts'
import type { Holder } from '../../src/backend/kluctl/discriminators.ts'
import type { DesiredEnvironment } from '../../src/environment/desired.ts'
import type { KubeClient } from '../../src/kube/client.ts'
import { silentLogger } from '../../src/util/log.ts'
import { FakeClock } from '../controller/fake-clock.ts'
import { waitFor } from '../harness/wait.ts'

export const shas = { first: 'a'.repeat(40), second: 'b'.repeat(40) }
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
export function world() {
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
  let onRecord: (() => void) | undefined
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
    kube: { as: () => ({}), list: async () => ({ items: [] }) } as unknown as KubeClient,
    credentials: { own: () => Promise.resolve(undefined), secret: () => Promise.reject(new Error('no Secrets')) },
    record: async facts => {
      Object.assign(environment.status ?? {}, facts)
      onRecord?.()
    },
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
    /** Does something while facts are being recorded, as others may. */
    whileRecording: (what: () => void) => {
      onRecord = what
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
