import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Store } from '../../src/kube/store.ts'
import { compareResourceVersions, type KubeObject } from '../../src/kube/types.ts'
import { configMap } from './api-server.ts'

describe('compareResourceVersions', () => {
  it('orders like numbers, however large', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 80n }), fc.bigInt({ min: 0n, max: 2n ** 80n }), (a, b) => {
        expect(Math.sign(compareResourceVersions(String(a), String(b)))).toBe(a < b ? -1 : a > b ? 1 : 0)
      }),
    )
  })
})

/** A history of one object name: versions grow; a deletion ends a life and the next one has another uid. */
const history = fc.array(fc.constantFrom('write', 'delete'), { minLength: 1, maxLength: 12 }).map(steps => {
  let life = 0
  let alive = false
  return steps.flatMap((step, index): { type: 'write' | 'delete'; object: KubeObject }[] => {
    const version = String(index + 8)
    if (step === 'delete') {
      if (!alive) return []
      alive = false
      return [{ type: 'delete', object: configMap('a', version, `life-${life}`) }]
    }
    if (!alive) life++
    alive = true
    return [{ type: 'write', object: configMap('a', version, `life-${life}`) }]
  })
})

describe('Store', () => {
  it('ends in the newest state when old answers come late and repeatedly, and tells a consistent story', () => {
    fc.assert(
      fc.property(history, fc.infiniteStream(fc.nat()), (events, chances) => {
        const store = new Store<KubeObject>({ all: () => ['x'] })
        const told = new Map<string, string>()
        const tell = (changes: ReturnType<typeof store.upsert>) => {
          for (const change of changes) {
            const { uid = '', resourceVersion = '' } = change.object.metadata
            // An add comes only for what is unknown, an update only forward, a delete only for what is known.
            if (change.type === 'add') expect(told.has('a')).toBe(false)
            else if (change.type === 'update') expect(change.old.metadata.uid).toBe(uid)
            else expect(told.get('a')).toBe(uid)
            if (change.type === 'update') {
              expect(
                compareResourceVersions(resourceVersion, change.old.metadata.resourceVersion ?? ''),
              ).toBeGreaterThan(0)
            }
            if (change.type === 'delete') told.delete('a')
            else told.set('a', uid)
          }
        }
        events.forEach((event, index) => {
          tell(event.type === 'write' ? store.upsert(event.object) : store.remove(event.object))
          const late = events[chances.next().value % (index + 1)]
          if (late?.type === 'write') tell(store.upsert(late.object))
        })
        const last = events.at(-1)
        const expected = last?.type === 'write' ? [last.object] : []
        expect(store.list()).toEqual(expected)
        expect(store.byIndex('all', 'x')).toEqual(expected)
      }),
    )
  })

  it('keeps through a list what was written after it', () => {
    const store = new Store<KubeObject>()
    store.replace([configMap('a', '1')], '5')
    store.upsert(configMap('mine', '9'))
    expect(store.replace([configMap('a', '1')], '8')).toEqual([])
    expect(store.size).toBe(2)
    expect(store.replace([configMap('a', '1')], '9').map(change => change.type)).toEqual(['delete'])
  })

  it('forgets nothing that is final, even when an older list still shows it', () => {
    const store = new Store<KubeObject>()
    store.replace([configMap('a', '1')], '5')
    store.remove(configMap('a', '1'), true)
    expect(store.replace([configMap('a', '1')], '6')).toEqual([])
    expect(store.size).toBe(0)
  })

  it('believes a list of a restored cluster, whose versions went back', () => {
    const store = new Store<KubeObject>()
    store.replace([configMap('a', '90'), configMap('b', '91')], '100')
    const changes = store.replace([configMap('a', '40')], '50')
    expect(changes.map(change => change.type)).toEqual(['delete', 'delete', 'add'])
    expect(store.get('default', 'a')?.metadata.resourceVersion).toBe('40')
  })

  it('reports another object of the same name as a delete and an add', () => {
    const store = new Store<KubeObject>()
    store.upsert(configMap('a', '1', 'first'))
    const changes = store.upsert(configMap('a', '2', 'second'))
    expect(changes.map(change => [change.type, change.object.metadata.uid])).toEqual([
      ['delete', 'first'],
      ['add', 'second'],
    ])
    expect(store.upsert(configMap('a', '9', 'first'))).toEqual([])
  })
})
