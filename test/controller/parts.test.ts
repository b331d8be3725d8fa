import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Farewells } from '../../src/controller/farewells.ts'
import { Freshness } from '../../src/controller/freshness.ts'
import { formatWork, parseWork } from '../../src/controller/keys.ts'
import { KeyedLocks } from '../../src/controller/locks.ts'
import { mergePatch, sameJson } from '../../src/controller/patch.ts'
import { WorkQueue } from '../../src/controller/queue.ts'
import { runWorkers, waitAskedBy } from '../../src/controller/workers.ts'
import { ForgeError } from '../../src/forge/errors.ts'
import { TerminalError } from '../../src/util/errors.ts'
import { silentLogger } from '../../src/util/log.ts'
import { environmentWith } from '../feedback/builders.ts'
import { FakeClock, settle } from './fake-clock.ts'

describe('keys', () => {
  test('hold any change, also one with separators in its name', () => {
    const work = { kind: 'change', namespace: 'n', name: 'p', change: 'branch:a|b/c' } as const
    expect(parseWork(formatWork(work))).toEqual(work)
    expect(parseWork('environment|n/e')).toEqual({ kind: 'environment', namespace: 'n', name: 'e' })
  })

  test.each(['', 'environment', 'environment|n', 'nonsense|n/e', 'change|n/p'])('%j is none', key => {
    expect(() => parseWork(key)).toThrow(TypeError)
  })
})

describe('a merge patch', () => {
  const json = fc.jsonValue({ maxDepth: 3 }).filter(value => !JSON.stringify(value).includes('null'))
  const object = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), json)

  test('law: applied, it turns one object into the other; equal objects need none', () => {
    fc.assert(
      fc.property(object, object, (before, after) => {
        const patch = mergePatch(before, after)
        expect(apply(before, patch ?? {})).toEqual(after)
        expect(patch === undefined).toBe(sameJson(before, after))
        expect(mergePatch(after, after)).toBeUndefined()
      }),
    )
  })

  test('holds a field with the name of the prototype like any other', () => {
    const after = JSON.parse('{"a": {"__proto__": ""}}') as object
    expect(JSON.stringify(mergePatch({ a: {} }, after))).toBe('{"a":{"__proto__":""}}')
    expect(sameJson({ a: {} }, after)).toBe(false)
  })

  test('removes what is undefined and leaves out what is equal', () => {
    expect(mergePatch({ a: 1, b: { c: 1, d: 2 }, e: [1] }, { a: undefined, b: { c: 1, d: 3 }, e: [1] })).toEqual({
      a: null,
      b: { d: 3 },
    })
  })

  /** RFC 7386, section 2. */
  function apply(target: unknown, patch: unknown): unknown {
    if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
    const isObject = typeof target === 'object' && target !== null && !Array.isArray(target)
    const result = new Map<string, unknown>(isObject ? Object.entries(target) : [])
    for (const [key, value] of Object.entries(patch)) {
      if (value === null) result.delete(key)
      else result.set(key, apply(result.get(key), value))
    }
    return Object.fromEntries(result)
  }
})

describe('locks', () => {
  test('let one at a time work on a key, in order, also after a failure; other keys go on', async () => {
    const locks = new KeyedLocks()
    const order: string[] = []
    const gate = Promise.withResolvers<void>()
    const first = locks.run('a', async () => {
      await gate.promise
      order.push('first')
      throw new Error('failed')
    })
    const second = locks.run('a', async () => order.push('second'))
    await locks.run('b', async () => order.push('other'))
    gate.resolve()
    await expect(first).rejects.toThrow('failed')
    await second
    expect(order).toEqual(['other', 'first', 'second'])
  })
})

describe('freshness', () => {
  test('knows which change was fetched after a listing began', () => {
    const freshness = new Freshness()
    freshness.fetching('p', 'pr:1')
    const listing = freshness.tick()
    freshness.fetching('p', 'pr:2')
    expect([1, 2, 3].map(number => freshness.isNewer('p', `pr:${number}`, listing))).toEqual([false, true, false])
    freshness.forget('p', listing)
    expect(freshness.isNewer('p', 'pr:2', listing)).toBe(true)
  })
})

describe('farewells', () => {
  test('count from their beginning, once per life of an environment', async () => {
    const clock = new FakeClock()
    const farewells = new Farewells(clock)
    const environment = environmentWith()
    farewells.begin('n/e', environment)
    await clock.advance(5_000)
    expect(farewells.begin('n/e', environment)).toEqual({ told: false, milliseconds: 5_000 })
    farewells.told('n/e')
    expect(farewells.begin('n/e', environment).told).toBe(true)
    const next = { ...environment, metadata: { ...environment.metadata, uid: 'u2' } }
    expect(farewells.begin('n/e', next)).toEqual({ told: false, milliseconds: 0 })
  })
})

describe('workers', () => {
  function pool(handler: (key: string, signal: AbortSignal) => Promise<{ recheckAfter?: number } | undefined>) {
    const clock = new FakeClock()
    const queue = new WorkQueue({ clock, random: () => 0, backoff: { base: 100, cap: 1_000 } })
    const stop = new AbortController()
    const options = { queue, handler, workers: 2, clock, log: silentLogger, deadline: 10_000 }
    const ended = runWorkers(options, stop.signal)
    return { clock, queue, stop, ended }
  }

  test('try again after a failure, as late as the forge asks, and not at all after a terminal one', async () => {
    const seen: string[] = []
    const failures: Record<string, Error> = {
      plain: new Error('x'),
      limited: new Error('outer', { cause: new ForgeError('rateLimited', 'slow', { retryAfter: 7_000 }) }),
      final: new TerminalError('Invalid', 'x'),
    }
    const { clock, queue, stop, ended } = pool(async key => {
      seen.push(key)
      const failure = failures[key]
      delete failures[key]
      if (failure) throw failure
      return undefined
    })
    for (const key of ['plain', 'limited', 'final']) queue.add(key)
    await clock.advance(100)
    expect(seen).toEqual(['plain', 'limited', 'final', 'plain'])
    await clock.advance(6_899)
    expect(seen).toHaveLength(4)
    await clock.advance(1)
    expect(seen.at(-1)).toBe('limited')
    expect(waitAskedBy(new Error('x'))).toBe(0)
    stop.abort()
    await ended
  })

  test('abort what takes too long, and try it again', async () => {
    let begun = 0
    const { clock, queue, stop, ended } = pool(
      (_key, signal) =>
        new Promise((_, reject) => {
          begun++
          signal.addEventListener('abort', () => reject(signal.reason))
        }),
    )
    queue.add('slow')
    await clock.advance(10_100)
    expect(begun).toBe(2)
    stop.abort()
    await ended
  })

  test('look again when asked to', async () => {
    let looks = 0
    const { clock, queue, stop, ended } = pool(async () => {
      looks++
      return looks < 3 ? { recheckAfter: 1_000 } : undefined
    })
    queue.add('a')
    await clock.advance(1_999)
    expect(looks).toBe(2)
    await clock.advance(5_000)
    expect(looks).toBe(3)
    stop.abort()
    await settle()
    await ended
  })
})
