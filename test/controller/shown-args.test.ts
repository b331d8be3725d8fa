import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { shownArgs } from '../../src/controller/shown-args.ts'

describe('arguments in the status', () => {
  test('stand there as they are while they are small', () => {
    const args = { tag: 'abc', replicas: 2, nested: { list: [1, 'a', null], on: true } }
    expect(shownArgs(args)).toEqual(args)
  })

  test('law: take no more than 32 KiB, whatever a project or a branch says', () => {
    const long = fc.tuple(fc.constantFrom('x', '🚀', '"', '\u0000'), fc.nat(40_000)).map(([c, n]) => c.repeat(n))
    const args = fc.dictionary(fc.oneof(fc.string(), long), fc.oneof(fc.jsonValue(), long), { maxKeys: 50 })
    fc.assert(
      fc.property(args, given => {
        expect(Buffer.byteLength(JSON.stringify(shownArgs(given)))).toBeLessThanOrEqual(32 * 1024)
      }),
      { numRuns: 50, examples: [[Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`arg${at}`, 'v']))]] },
    )
  })

  test('that are too long say how long they are', () => {
    expect(shownArgs({ a: 'x'.repeat(100_000), b: 1 })).toEqual({ a: '(100002 bytes)', b: 1 })
  })
})
