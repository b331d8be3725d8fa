import { describe, expect, test } from 'vitest'
import { annotations, claimOf, type ReviewEnvironment } from '../../src/api/index.ts'
import { isAhead, storedStatus, withClaim, withStatusAhead } from '../../src/controller/ahead.ts'
import { environmentWith } from '../feedback/builders.ts'

const inventory = [{ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop-pr-7', name: 'shop' }]
const claim = { namespace: 'shop-pr-7', backend: 'objects', inventory } as const

function claiming(text: string, status?: ReviewEnvironment['status']): ReviewEnvironment {
  const { status: _, ...environment } = environmentWith({})
  const metadata = { ...environment.metadata, annotations: { [annotations.claim]: text } }
  return { ...environment, metadata, ...(status === undefined ? {} : { status }) }
}

describe('what an environment claimed when it was made', () => {
  test('stands for its status until that is written', () => {
    const environment = claiming(JSON.stringify(claim))
    const known = withClaim(environment)
    expect(known.status).toMatchObject(claim)
    expect(known.status?.serviceAccount).toContain(environment.metadata.name)
    expect([isAhead(known), storedStatus(known)]).toEqual([true, undefined])
  })

  test('adds to facts that are not written yet either', () => {
    const facts = { admission: { admitted: true } }
    const known = withClaim(withStatusAhead(claiming(JSON.stringify(claim)), facts))
    expect(known.status).toMatchObject({ ...facts, ...claim })
    expect(storedStatus(known)).toBeUndefined()
  })

  test('counts for nothing once the status names a namespace', () => {
    const status = { namespace: 'another', backend: 'objects' } as const
    expect(withClaim(claiming(JSON.stringify(claim), status)).status).toEqual(status)
  })

  test.each([
    ['no JSON', '{'],
    ['another shape', JSON.stringify({ ...claim, serviceAccount: 'admin' })],
    ['a backend that does not exist', JSON.stringify({ ...claim, backend: 'magic' })],
    [
      'objects of other namespaces',
      JSON.stringify({ ...claim, inventory: [{ ...inventory[0], namespace: 'kube-system' }] }),
    ],
    [
      'objects of no namespace',
      JSON.stringify({ ...claim, inventory: [{ apiVersion: 'v1', kind: 'Node', name: 'a' }] }),
    ],
  ])('counts for nothing when somebody wrote %s', (_, text) => {
    expect(claimOf(claiming(text))).toBeUndefined()
    expect(withClaim(claiming(text)).status).toBeUndefined()
  })
})
