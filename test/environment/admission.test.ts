import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ReviewEnvironment } from '../../src/api/index.ts'
import { admit } from '../../src/environment/admission.ts'
import { whyWaiting } from '../../src/environment/why-not.ts'
import { branch, environmentOf, projectOf, pullRequest } from './builders.ts'

const project = projectOf({ environment: { limit: 3 } })
const environment = (number: number, overlay: Parameters<typeof environmentOf>[2] = {}) => {
  const made = environmentOf(project, pullRequest(number), overlay)
  return { ...made, status: { ...made.status, change: pullRequest(number), ...overlay.status } }
}
const holding = { status: { admission: { admitted: true } } }

describe('admit', () => {
  it('lets the oldest changes in and tells the others their place', () => {
    const all = [5, 2, 4, 1, 3].map(number => environment(number))
    expect(admit(all, 3)).toEqual({
      admitted: [],
      admit: ['shop-pr-1', 'shop-pr-2', 'shop-pr-3'],
      waiting: [
        { name: 'shop-pr-4', position: 1, ahead: 3 },
        { name: 'shop-pr-5', position: 2, ahead: 3 },
      ],
    })
  })

  it('never evicts, even for an older change or a smaller limit', () => {
    const all = [environment(8, holding), environment(9, holding), environment(1)]
    expect(admit(all, 1)).toEqual({
      admitted: ['shop-pr-8', 'shop-pr-9'],
      admit: [],
      waiting: [{ name: 'shop-pr-1', position: 1, ahead: 2 }],
    })
  })

  it('gives the place of one that is being removed to the next, though its teardown may be stuck', () => {
    const leaving = environment(1, { ...holding, metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } })
    expect(admit([leaving, environment(2)], 1)).toEqual({ admitted: [], admit: ['shop-pr-2'], waiting: [] })
  })

  it('goes by the environment’s age where the change has none, and by name at last', () => {
    const of = (name: string, creationTimestamp: string) =>
      environmentOf(project, branch(name), { metadata: { name, creationTimestamp } })
    const all = [of('c', '2026-01-01T00:00:00Z'), of('b', '2026-01-02T00:00:00Z'), of('a', '2026-01-02T00:00:00Z')]
    expect(admit(all, 10).admit).toEqual(['c', 'a', 'b'])
  })

  it('admits nobody twice, nobody too many, and the same whatever the order', () => {
    const some = fc.array(fc.record({ number: fc.integer({ min: 1, max: 50 }), held: fc.boolean() }), { maxLength: 30 })
    fc.assert(
      fc.property(some, fc.integer({ min: 0, max: 20 }), (entries, limit) => {
        const all = [...new Map(entries.map(entry => [entry.number, entry])).values()].map(({ number, held }) =>
          environment(number, held ? holding : {}),
        )
        const result = admit(all, limit)
        const names = [...result.admitted, ...result.admit, ...result.waiting.map(entry => entry.name)]
        expect([...names].sort()).toEqual(all.map((one: ReviewEnvironment) => one.metadata.name).sort())
        expect(result.admit.length).toBeLessThanOrEqual(Math.max(0, limit - result.admitted.length))
        const reversed = admit([...all].reverse(), limit)
        expect([reversed.admit, reversed.waiting]).toEqual([result.admit, result.waiting])
      }),
    )
  })
})

it('tells a person why an environment waits', () => {
  const admission = admit(
    [1, 2, 3, 4].map(number => environment(number)),
    3,
  )
  expect(whyWaiting(admission, 'shop-pr-4', project.spec)).toBe(
    'Place 1 in the queue: the project’s limit of 3 environments is reached (3 before it).',
  )
  expect(whyWaiting(admission, 'shop-pr-1', project.spec)).toBeUndefined()
})
