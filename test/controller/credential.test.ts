import { Registry } from 'prom-client'
import { afterEach, describe, expect, it } from 'vitest'
import { type ReviewProject, ReviewProjectSpec } from '../../src/api/index.ts'
import type { ControllerContext } from '../../src/controller/context.ts'
import { reconcileCredential } from '../../src/controller/credential.ts'
import { GitSecrets } from '../../src/controller/git-secrets.ts'
import { watchCluster } from '../../src/controller/handlers.ts'
import { controllerMetrics } from '../../src/controller/metrics.ts'
import { defaultWorkers, Queues } from '../../src/controller/queues.ts'
import { createStores } from '../../src/controller/stores.ts'
import { ForgeError } from '../../src/forge/errors.ts'
import type { KubeClient } from '../../src/kube/client.ts'
import type { KubeObject } from '../../src/kube/types.ts'
import { silentLogger } from '../../src/util/log.ts'
import { FakeClock } from './fake-clock.ts'

const minute = 60_000
const lifetime = 60 * minute

/** A project that kluctl fetches with the App's credential. */
function shop(): ReviewProject {
  const source = { url: 'https://github.com/acme/shop.git', forge: { type: 'github' } }
  return {
    apiVersion: 'offshoot.dev/v1alpha1',
    kind: 'ReviewProject',
    metadata: { namespace: 'team', name: 'shop', uid: 'uid-1', generation: 1, resourceVersion: '1' },
    spec: ReviewProjectSpec.parse({ source, deploy: { kluctlDeployment: {} } }),
  }
}

type Secret = KubeObject & { data?: Record<string, string> }

/** The cluster's one Secret and the App that makes tokens, each good for an hour. */
function surroundings(clock: FakeClock) {
  const state = { secret: undefined as Secret | undefined, made: 0, refusing: false }
  const kube = {
    get: async () => state.secret,
    apply: async (object: Secret) => {
      state.secret = object
      return object
    },
    delete: async () => {
      state.secret = undefined
    },
  } as unknown as Pick<KubeClient, 'get' | 'apply' | 'delete'>
  const forges = {
    appGitOrigin: async () => 'origin',
    appGitCredential: async () => {
      if (state.refusing) throw new ForgeError('unavailable', 'GitHub is down')
      const credential = { token: `token-${++state.made}`, origin: 'origin' }
      return { credential, expiresAt: clock.now() + lifetime }
    },
  }
  /** Milliseconds that kluctl can still use what is in the Secret. */
  const left = () => Date.parse(state.secret?.metadata.annotations?.['offshoot.dev/expires-at'] ?? '') - clock.now()
  return { state, left, gitSecrets: new GitSecrets(kube, forges, clock) }
}

const ends: (() => void)[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
})

/** A term of leadership, as far as it keeps credentials, over a clock that tests let go on. */
function term() {
  const clock = new FakeClock()
  const given = { clock, log: silentLogger, random: () => 0.5 }
  const stores = createStores({} as KubeClient, { namespaces: [], ...given })
  const queues: Queues = new Queues({
    ...given,
    stores,
    metrics: controllerMetrics(new Registry(), { stores, queues: () => queues.byName, leading: () => true }),
    workers: defaultWorkers,
  })
  const { state, left, gitSecrets } = surroundings(clock)
  const context = { clock, stores, gitSecrets, enqueue: queues } as unknown as ControllerContext
  const stop = new AbortController()
  ends.push(() => stop.abort())
  void queues.run(
    (work, signal) =>
      work.kind === 'credential' ? reconcileCredential(context, work, signal) : Promise.resolve(undefined),
    stop.signal,
  )
  watchCluster(context)
  stores.projects.assume(shop())
  /** Lets time go on; gives the shortest time that kluctl's credential had left meanwhile. */
  const pass = async (time: number) => {
    let shortest = Number.POSITIVE_INFINITY
    for (const end = clock.now() + time; clock.now() < end; ) {
      await clock.advance(minute / 2)
      shortest = Math.min(shortest, left())
    }
    return shortest
  }
  return { state, pass, stores, clock }
}

describe('the reconciler of credentials', () => {
  it('renews what kluctl has long before it ends, with nobody asking', async () => {
    const { state, pass } = term()
    expect(await pass(6 * 60 * minute)).toBeGreaterThanOrEqual(29 * minute)
    expect(state.made).toBeGreaterThanOrEqual(11)
    // Not at every look, which would wake everything that watches the Secret.
    expect(state.made).toBeLessThanOrEqual(14)
  })

  it('goes on trying while the forge is away, and is in time if that lasts less than half an hour', async () => {
    const { state, pass } = term()
    await pass(29 * minute)
    const { made } = state
    state.refusing = true
    await pass(20 * minute)
    expect(state.made).toBe(made)
    state.refusing = false
    expect(await pass(60 * minute)).toBeGreaterThan(0)
    expect(state.made).toBeGreaterThan(made)
  })

  it('mends a Secret that somebody deleted', async () => {
    const { state, pass } = term()
    await pass(minute)
    state.secret = undefined
    await pass(11 * minute)
    expect(state.secret).toBeDefined()
  })

  it('ends with its project', async () => {
    const { state, pass, stores } = term()
    await pass(minute)
    stores.projects.assumeDeleted(shop())
    state.secret = undefined
    await pass(3 * 60 * minute)
    expect([state.made, state.secret]).toEqual([1, undefined])
  })
})
