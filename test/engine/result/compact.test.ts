import fc from 'fast-check'
import { expect, it } from 'vitest'
import { compactObjects, expandObjects } from '../../../src/engine/result/compact.ts'
import { applyDelta, makeDelta } from '../../../src/engine/result/delta.ts'
import type { ResultObject } from '../../../src/engine/result/types.ts'
import { readYaml } from '../../../src/engine/yaml.ts'

const object = (data: Record<string, string>, extra: Record<string, unknown> = {}) =>
  readYaml(JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data, ...extra })) as never

it('a delta leads from any text to any other', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (before, after) => {
      expect(applyDelta(before, makeDelta(before, after))).toBe(after)
    }),
  )
})

it('reads the deltas of diff-match-patch, which count characters beyond the first plane as one', () => {
  // From diff-match-patch's own documentation of the format, and one with an emoji.
  expect(applyDelta('jumps over the lazy', '=4\t-1\t+ed\t=6\t-3\t+a\t=5\t+old dog')).toBe('jumped over a lazyold dog')
  expect(applyDelta('a😀b', '=2\t-1\t+%F0%9F%98%81+ %25')).toBe('a😀😁+ %')
})

it.each(['=5', '-9', '?3', '=x', '+%', '=1'])('a delta that does not fit is refused: %s', delta => {
  expect(() => applyDelta('abcd', delta)).toThrow('a stored result is damaged')
})

it('objects come back as they were stored', () => {
  const values = fc.dictionary(fc.string({ minLength: 1 }), fc.string({ unit: 'grapheme', maxLength: 3000 }), {
    maxKeys: 5,
  })
  fc.assert(
    fc.property(values, values, values, (rendered, remote, applied) => {
      const objects: ResultObject[] = [
        { ref: { kind: 'ConfigMap', name: 'a' }, new: true },
        {
          ref: { kind: 'ConfigMap', name: 'b' },
          rendered: object(rendered),
          remote: object({ ...rendered, ...remote }),
          applied: object({ ...rendered, ...applied }),
        },
      ]
      expect(expandObjects(compactObjects(objects))).toEqual(objects)
    }),
    { numRuns: 30 },
  )
})

it('a large object is stored once, and what differs in its other versions', () => {
  const data = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`key-${index}`, `value ${index}`]))
  const [stored] = compactObjects([
    {
      ref: { kind: 'ConfigMap', name: 'a' },
      rendered: object(data),
      applied: object({ ...data, 'key-7': 'other' }, { status: { ready: true } }),
    },
  ])
  expect(stored?.rendered).toMatch(/^full: \{"apiVersion":"v1",/)
  expect(stored?.applied).toMatch(/^delta: /)
  expect(stored?.applied?.length).toBeLessThan(200)
})
