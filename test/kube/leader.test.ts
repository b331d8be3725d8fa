import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { KubeConnectionError, KubeError } from '../../src/kube/errors.ts'
import { LeaderElector, type LeaderElectorOptions, type Lease } from '../../src/kube/leader.ts'
import type { KubeObject } from '../../src/kube/types.ts'
import { systemClock } from '../../src/util/clock.ts'
import { OffshootError } from '../../src/util/errors.ts'
import { waitFor } from '../harness/wait.ts'

/** A Lease with optimistic locking, as the API server keeps it; `mode` makes it fail or hang. */
class LeaseServer {
  lease: Lease | undefined
  mode: 'well' | 'failing' | 'hanging' = 'well'
  writes = 0

  async get<T extends KubeObject>(_: unknown, { signal }: { signal?: AbortSignal | undefined } = {}) {
    await this.#pass(signal)
    return structuredClone(this.lease) as T | undefined
  }

  async create<T extends KubeObject>(object: T, { signal }: { signal?: AbortSignal | undefined } = {}) {
    await this.#pass(signal)
    if (this.lease) throw new KubeError(409, 'AlreadyExists', 'exists')
    return this.#store(object)
  }

  async replace<T extends KubeObject>(object: T, { signal }: { signal?: AbortSignal | undefined } = {}) {
    await this.#pass(signal)
    if (object.metadata.resourceVersion !== this.lease?.metadata.resourceVersion) {
      throw new KubeError(409, 'Conflict', 'changed')
    }
    return this.#store(object)
  }

  #store<T extends KubeObject>(object: T): T {
    this.writes++
    const metadata = { ...object.metadata, uid: 'uid', resourceVersion: String(this.writes) }
    this.lease = structuredClone({ ...object, metadata }) as Lease
    return structuredClone(this.lease) as unknown as T
  }

  async #pass(signal: AbortSignal | undefined) {
    if (this.mode === 'failing') throw new KubeConnectionError('away')
    if (this.mode === 'well') return
    await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
  }
}

function elect(server: LeaseServer, identity: string, more: Partial<LeaderElectorOptions> = {}): LeaderElector {
  const options = { namespace: 'ns', name: 'lease', identity, leaseDuration: 600, renewDeadline: 400, retryPeriod: 40 }
  const elector = new LeaderElector(server, { ...options, ...more }).start()
  onTestFinished(async () => {
    server.mode = 'failing'
    await elector.close()
  })
  return elector
}

describe('LeaderElector', () => {
  it.each(['failing', 'hanging'] as const)('steps down while the server is %s, before others may lead', async mode => {
    const server = new LeaseServer()
    const lost: string[] = []
    const signals: AbortSignal[] = []
    const leader = elect(server, 'one', {
      onLost: reason => lost.push(reason),
      onElected: signal => signals.push(signal),
    })
    await waitFor(() => leader.isLeader)
    expect(signals[0]?.aborted).toBe(false)
    server.mode = mode
    await waitFor(() => lost.length > 0, { deadline: 5_000 })
    expect(signals[0]?.aborted).toBe(true)
    expect(leader.isLeader).toBe(false)
    server.mode = 'well'
    await waitFor(() => leader.isLeader, { describe: 'the candidate to lead again' })
    expect(signals).toHaveLength(2)
  })

  it('is no leader after its process slept, even before it has noticed', async () => {
    const server = new LeaseServer()
    let offset = 0
    const leader = elect(server, 'one', { monotonic: () => performance.now() + offset })
    await waitFor(() => leader.isLeader)
    offset = 10_000
    expect(leader.isLeader).toBe(false)
  })

  it('has one leader at a time, whatever the wall clocks say', async () => {
    const server = new LeaseServer()
    const skewed = (milliseconds: number) => ({
      now: () => Date.now() + milliseconds,
      sleep: (time: number, signal?: AbortSignal) =>
        new Promise<void>(resolve => {
          const timer = setTimeout(resolve, time)
          signal?.addEventListener('abort', () => {
            clearTimeout(timer)
            resolve()
          })
        }),
    })
    const electors: LeaderElector[] = []
    let most = 0
    const count = () => {
      most = Math.max(most, electors.filter(elector => elector.isLeader).length)
    }
    for (const [identity, skew] of [
      ['past', -86_400_000],
      ['now', 0],
      ['future', 86_400_000],
    ] as const) {
      electors.push(elect(server, identity, { clock: skewed(skew), onElected: count, onLeaderChange: count }))
    }
    const writes = () => server.writes
    await waitFor(() => writes() > 20, { describe: 'renewals' })
    expect(most).toBe(1)
    expect(server.lease?.spec?.leaseTransitions).toBe(0)
    const leader = electors.find(elector => elector.isLeader)
    await leader?.close()
    await waitFor(() => electors.some(elector => elector.isLeader))
    expect(most).toBe(1)
  })

  it.each([
    ['a day ahead', 86_400_000],
    ['a day behind', -86_400_000],
  ])('waits out a leader that died as long as it saw it silent, though its clock is %s', async (_name, skew) => {
    const server = new LeaseServer()
    let now = 0
    const elapsed = { monotonic: () => now }
    const dead = { holderIdentity: 'dead', leaseDurationSeconds: 15, renewTime: new Date(Date.now()).toISOString() }
    server.lease = { metadata: { name: 'lease', uid: 'uid', resourceVersion: '0' }, spec: dead } as Lease
    const clock = {
      now: () => Date.now() + skew,
      sleep: (_: number, signal?: AbortSignal) => systemClock.sleep(5, signal),
    }
    const reads = vi.spyOn(server, 'get')
    const candidate = elect(server, 'heir', { ...elapsed, clock })
    const moreReads = () => {
      const before = reads.mock.calls.length
      return waitFor(() => reads.mock.calls.length > before + 2, { describe: 'the candidate to look again' })
    }
    await moreReads()
    now = 14_999
    await moreReads()
    expect(candidate.isLeader).toBe(false)
    now = 15_000
    await waitFor(() => server.lease?.spec?.holderIdentity === 'heir', { describe: 'the candidate to take over' })
  })

  it('leaves no address of the leader before it on the Lease', async () => {
    const server = new LeaseServer()
    const address = (value: string | undefined) => ({ annotations: { 'example.com/address': value } })
    const first = elect(server, 'one', address('http://one'))
    await waitFor(() => first.isLeader)
    const second = elect(server, 'two', address(undefined))
    await waitFor(() => second.leader?.annotations['example.com/address'] === 'http://one')
    await first.close()
    await waitFor(() => second.isLeader)
    expect(server.lease?.metadata.annotations).toEqual({})
  })

  it('refuses durations that contradict each other', () => {
    const options = { namespace: 'ns', name: 'lease', identity: 'one', renewDeadline: 15_000 }
    expect(() => new LeaderElector(new LeaseServer(), options)).toThrow(OffshootError)
  })
})
