import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { clusterIdBindingKey } from '../../src/controller/account.ts'
import { environmentWith } from '../feedback/builders.ts'

function bindingOf(namespace: string, name: string): string {
  const environment = environmentWith()
  return clusterIdBindingKey({ ...environment, metadata: { ...environment.metadata, namespace, name } }).name
}

describe('the binding in kube-system', () => {
  const label = fc.stringMatching(/^[a-z]([a-z-]{0,6}[a-z])?$/)
  const name = fc.stringMatching(/^[a-z]([a-z-]{0,6}[a-z])?([.][a-z]{1,3})?$/)

  test('law: two environments never want the same, so none can take another team’s', () => {
    fc.assert(
      fc.property(label, name, label, name, (namespace, environment, other, theirs) => {
        fc.pre(namespace !== other || environment !== theirs)
        expect(bindingOf(namespace, environment)).not.toBe(bindingOf(other, theirs))
      }),
      { examples: [['team', 'a-shop-pr-1', 'team-a', 'shop-pr-1']] },
    )
  })

  test('has a name that the API server takes, however long the names it is made of', () => {
    const long = bindingOf('n'.repeat(63), `${'e'.repeat(253)}`)
    expect(long.length).toBeLessThanOrEqual(253)
    expect(long).not.toMatch(/[/%]/)
  })
})
