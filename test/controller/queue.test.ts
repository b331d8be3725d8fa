import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { QueueClosed, WorkQueue } from '../../src/controller/queue.ts'
import { FakeClock, settle } from './fake-clock.ts'

const queueOf = (clock: FakeClock, options = {}) => new WorkQueue({ clock, random: () => 0, ...options })

async function takeAll(queue: WorkQueue): Promise<string[]> {
  const keys: string[] = []
  while (queue.length > 0) keys.push(await queue.get())
  for (const key of keys) queue.done(key)
  return keys
}

describe('a work queue', () => {
  test('gives a key once, however often it was added', async () => {
    const queue = queueOf(new FakeClock())
    for (const key of ['a', 'b', 'a', 'a']) queue.add(key)
    expect(await takeAll(queue)).toEqual(['a', 'b'])
  })

  test('gives a key once more when it was added while it was worked on, and never to two workers', async () => {
    const queue = queueOf(new FakeClock())
    queue.add('a')
    await queue.get()
    queue.add('a')
    queue.add('a')
    expect(queue.length).toBe(0)
    queue.done('a')
    expect(await takeAll(queue)).toEqual(['a'])
    expect(queue.length).toBe(0)
  })

  test('lets groups take turns', async () => {
    const queue = queueOf(new FakeClock(), { groupOf: (key: string) => key[0] })
    for (const key of ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1']) queue.add(key)
    expect(await takeAll(queue)).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4'])
  })

  test('waits twice as long after every failure in a row, at most the cap, and anew after a success', () => {
    const queue = queueOf(new FakeClock(), { backoff: { base: 100, cap: 1000 } })
    expect([1, 2, 3, 4, 5, 6].map(() => queue.retry('a'))).toEqual([100, 200, 400, 800, 1000, 1000])
    queue.forget('a')
    expect(queue.retry('a')).toBe(100)
    expect(queue.retry('b', 7000)).toBe(7000)
  })

  test('spreads retries by at most half', () => {
    const queue = queueOf(new FakeClock(), { random: () => 1, backoff: { base: 100, cap: 1000 } })
    expect(queue.retry('a')).toBe(50)
  })

  test('adds delayed keys when their time has come, the earliest request counting', async () => {
    const clock = new FakeClock()
    const queue = queueOf(clock)
    queue.addAfter('late', 5000)
    queue.addAfter('twice', 3000)
    queue.addAfter('twice', 1000)
    queue.addAfter('twice', 9000)
    await clock.advance(999)
    expect(queue.length).toBe(0)
    await clock.advance(1)
    expect(await takeAll(queue)).toEqual(['twice'])
    await clock.advance(10_000)
    expect(await takeAll(queue)).toEqual(['late'])
    expect(queue.delayed).toBe(0)
  })

  test('does not give a delayed key a second time when it was added meanwhile', async () => {
    const clock = new FakeClock()
    const queue = queueOf(clock)
    queue.addAfter('a', 1000)
    queue.add('a')
    expect(await takeAll(queue)).toEqual(['a'])
    await clock.advance(2000)
    expect(queue.length).toBe(0)
  })

  test('refuses offers beyond its capacity, but not of keys that are there', () => {
    const queue = queueOf(new FakeClock(), { capacity: 2 })
    expect([queue.offer('a'), queue.offer('b'), queue.offer('c'), queue.offer('a')]).toEqual([true, true, false, true])
  })

  test('hands a key to a waiting worker, and an aborted worker gets none', async () => {
    const queue = queueOf(new FakeClock())
    const stop = new AbortController()
    const aborted = queue.get(stop.signal)
    const waiting = queue.get()
    stop.abort(new Error('stop'))
    await expect(aborted).rejects.toThrow('stop')
    queue.add('a')
    expect(await waiting).toBe('a')
  })

  test('closes: waiting workers end, waiting keys go, running work is waited for', async () => {
    const queue = queueOf(new FakeClock())
    queue.add('a')
    queue.add('b')
    await queue.get()
    const taker = queue.get().then(key => queue.done(key))
    await taker
    const blocked = queue.get()
    let idle = false
    const drained = queue.idle().then(() => {
      idle = true
    })
    queue.close()
    await expect(blocked).rejects.toBeInstanceOf(QueueClosed)
    await settle()
    expect(idle).toBe(false)
    queue.done('a')
    await drained
    expect(idle).toBe(true)
  })

  test('law: no key is lost, and none is worked on twice at a time, in whatever order things happen', async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('add' as const), key: fc.constantFrom('a1', 'a2', 'b1', 'c1') }),
      fc.record({
        do: fc.constant('later' as const),
        key: fc.constantFrom('a1', 'b1'),
        wait: fc.nat(50),
        look: fc.boolean(),
      }),
      fc.record({ do: fc.constant('take' as const) }),
      fc.record({ do: fc.constant('finish' as const) }),
      fc.record({ do: fc.constant('pass' as const), wait: fc.nat(50) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async steps => {
        const clock = new FakeClock()
        const queue = queueOf(clock, { groupOf: (key: string) => key[0] })
        const owed = new Set<string>()
        const active: string[] = []
        const take = async () => {
          const key = await queue.get()
          expect(active).not.toContain(key)
          owed.delete(key)
          active.push(key)
        }
        const finish = () => {
          const key = active.shift()
          if (key !== undefined) queue.done(key)
        }
        for (const at of steps) {
          if (at.do === 'add') queue.add(at.key)
          if (at.do === 'later') queue.addAfter(at.key, at.wait, { look: at.look })
          if (at.do === 'add' || at.do === 'later') owed.add(at.key)
          if (at.do === 'take' && queue.length > 0) await take()
          if (at.do === 'finish') finish()
          if (at.do === 'pass') await clock.advance(at.wait)
        }
        while (active.length > 0) finish()
        await clock.advance(100)
        while (queue.length > 0) {
          await take()
          finish()
        }
        expect([...owed]).toEqual([])
      }),
    )
  })

  test('puts looks that nothing has asked for behind what has happened, but not for ever', async () => {
    const clock = new FakeClock()
    const queue = queueOf(clock)
    queue.addAfter('look', 10, { look: true })
    await clock.advance(10)
    for (let event = 0; event < 20; event++) queue.add(`event ${event}`)
    const taken: string[] = []
    for (let turn = 0; turn < 10; turn++) taken.push(await queue.get())
    expect(taken.slice(0, 5)).toEqual(['event 0', 'event 1', 'event 2', 'event 3', 'event 4'])
    expect(taken).toContain('look')
  })

  test('looks no sooner than planned, nor twice, at what nothing has happened to', async () => {
    const clock = new FakeClock()
    const queue = queueOf(clock)
    queue.look('worked-on')
    expect(await queue.get()).toBe('worked-on')
    queue.look('worked-on')
    queue.done('worked-on')
    queue.addAfter('planned', 60_000, { look: true })
    queue.look('planned')
    expect(queue.length).toBe(0)
    await clock.advance(60_000)
    expect(await queue.get()).toBe('planned')
  })

  test('takes a look for an event as soon as something has happened', async () => {
    const clock = new FakeClock()
    const queue = queueOf(clock)
    queue.addAfter('a', 10, { look: true })
    await clock.advance(10)
    queue.add('b')
    queue.add('a')
    expect([await queue.get(), await queue.get(), queue.length]).toEqual(['b', 'a', 0])
  })
})
