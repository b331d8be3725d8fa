import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type GuardedDelete, type GuardState, guardDeletes, guardWindow } from '../../src/environment/guard.ts'

const now = Date.UTC(2026, 0, 1)
const absent = (count: number, from = 0): GuardedDelete[] =>
  Array.from({ length: count }, (_, index) => ({ key: `branch:b${from + index}`, cause: 'absent' }))
const judge = (count: number, environments: number, state?: GuardState, at = now, listing = true, from = 0) =>
  guardDeletes({ candidates: absent(count, from), environments, state, now: at, listing })

describe('guardDeletes', () => {
  it.each([
    [5, 5, true],
    [6, 6, false],
    [6, 12, true],
    [7, 13, false],
    [50, 100, true],
    [51, 100, false],
    [0, 0, true],
  ])('%i of %i: passes %s', (count, environments, pass) => {
    expect(judge(count, environments).pass).toBe(pass)
  })

  it('counts what went within ten minutes, one by one', () => {
    let state: GuardState = {}
    const passed = Array.from({ length: 20 }, (_, index) => {
      const verdict = judge(1, 20 - index, state, now + index * 1000, false, index)
      state = verdict.nextState
      return verdict.pass
    })
    expect(passed.filter(Boolean)).toHaveLength(10)
  })

  it('forgets what is older', () => {
    const { nextState } = judge(5, 10)
    expect(judge(5, 5, nextState, now + guardWindow - 1).pass).toBe(false)
    expect(judge(5, 5, nextState, now + guardWindow + 1).pass).toBe(true)
  })

  it('takes only a later listing for agreement', () => {
    const { nextState } = judge(8, 8)
    expect(judge(8, 8, nextState, now + 999).pass).toBe(false)
    expect(judge(8, 8, nextState, now + 60_000, false).pass).toBe(false)
    expect(judge(8, 8, nextState, now + 60_000).pass).toBe(true)
  })

  it('holds no longer when a replica whose clock is ahead held first', () => {
    const { nextState } = judge(8, 8, undefined, now + 3_600_000)
    const first = judge(8, 8, nextState)
    expect([first.pass, first.nextState.heldDeletes?.since]).toEqual([false, '2026-01-01T00:00:00Z'])
    expect(judge(8, 8, first.nextState, now + 60_000).pass).toBe(true)
  })

  it('counts what a replica whose clock is ahead deleted for ten minutes, as its own', () => {
    const { nextState } = judge(5, 10, undefined, now + 3_600_000)
    const first = judge(5, 5, nextState)
    expect(first.pass).toBe(false)
    const { recentDeletes } = first.nextState
    expect(judge(5, 5, { recentDeletes: recentDeletes ?? [] }, now + guardWindow + 1).pass).toBe(true)
  })

  it('starts anew when the next listing asks for others', () => {
    const { nextState } = judge(8, 9)
    const other = judge(8, 9, nextState, now + 60_000, true, 1)
    expect(other.pass).toBe(false)
    expect(other.nextState.heldDeletes?.since).toBe('2026-01-01T00:01:00Z')
  })

  it('keeps its memory small', () => {
    let state: GuardState = {}
    for (let index = 0; index < 300; index++) state = judge(1, 10_000, state, now + index * 1000, true, index).nextState
    expect(state.recentDeletes?.length).toBeLessThanOrEqual(60)
    expect(state.recentDeletes?.reduce((sum, entry) => sum + entry.count, 0)).toBe(300)
  })

  it('never lets more than five or half of the environments go without a second listing', () => {
    const batches = fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 30 })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), batches, (environments, sizes) => {
        let state: GuardState = {}
        let left = environments
        for (const [index, size] of sizes.entries()) {
          const count = Math.min(size, left)
          const verdict = judge(count, left, state, now + index * 1000, false, index * 10)
          if (verdict.pass) left -= count
          state = verdict.nextState
        }
        expect(environments - left).toBeLessThanOrEqual(Math.max(5, environments / 2))
      }),
    )
  })
})
