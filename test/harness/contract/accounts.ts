import { beforeAll, describe, expect, it } from 'vitest'
import { waitFor } from '../wait.ts'
import { type ContractWorld, freshNamespace } from './world.ts'

/** Accounts, tokens and questions about rights. */
export function accountContract(world: ContractWorld): void {
  describe('accounts', () => {
    let namespace = ''
    beforeAll(async () => {
      namespace = await freshNamespace(world)
    })

    it('are there in every new namespace', async () => {
      const client = world.client()
      await waitFor(() => client.get({ apiVersion: 'v1', kind: 'ServiceAccount', namespace, name: 'default' }))
      await waitFor(() => client.get({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'kube-root-ca.crt' }))
    })

    it('get tokens, which last ten minutes at least', async () => {
      const client = world.client()
      await waitFor(() => client.get({ apiVersion: 'v1', kind: 'ServiceAccount', namespace, name: 'default' }))
      const { token, expirationTimestamp } = await client.createToken(namespace, 'default', { expirationSeconds: 600 })
      expect(token.split('.')).toHaveLength(3)
      expect(Date.parse(expirationTimestamp)).toBeGreaterThan(Date.now())
      await expect(client.createToken(namespace, 'default', { expirationSeconds: 5 })).rejects.toMatchObject({
        status: 422,
      })
      await expect(client.createToken(namespace, 'missing')).rejects.toMatchObject({ status: 404 })
    })

    it('are impersonated', async () => {
      const client = world.client().as({ serviceAccount: { namespace, name: 'default' } })
      const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview', metadata: {} }
      const answer = (await client.create(review)) as {
        status?: { userInfo?: { username?: string; groups?: string[] } }
      }
      expect(answer.status?.userInfo?.username).toBe(`system:serviceaccount:${namespace}:default`)
      expect(answer.status?.userInfo?.groups).toContain(`system:serviceaccounts:${namespace}`)
    })

    it('tell an administrator that everything is allowed', async () => {
      const resourceAttributes = { verb: 'delete', resource: 'pods', namespace }
      const review = {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        metadata: {},
        spec: { resourceAttributes },
      }
      expect(await world.client().create(review)).toMatchObject({ status: { allowed: true } })
    })
  })
}
