import { describe, expect, it } from 'vitest'
import { admissionManifests, crdManifests, type Installation, rbacManifests } from '../../src/cli/manifests.ts'
import type { KubeObject } from '../../src/kube/types.ts'

const installation: Installation = {
  name: 'blue',
  controllerNamespace: 'blue-system',
  projectNamespaces: ['team-a', 'team-b'],
  allowedClusterRoles: ['offshoot-environment', 'team-environment'],
}

interface Rule {
  apiGroups: string[]
  resources: string[]
  verbs: string[]
  resourceNames?: string[]
}

const rulesOf = (object: KubeObject) => (object.rules ?? []) as Rule[]

describe('RBAC of an installation', () => {
  it('has no wildcard anywhere', async () => {
    const objects = await rbacManifests(installation)
    const rules = objects.flatMap(rulesOf)
    expect(rules.length).toBeGreaterThan(20)
    for (const rule of rules) expect(JSON.stringify(rule)).not.toContain('*')
  })

  it('lets no environment write what sends traffic into other namespaces', async () => {
    // CVE-2021-25740: Endpoints and EndpointSlices may name addresses of any namespace.
    const written = (await rbacManifests(installation))
      .filter(({ metadata }) => metadata.name === 'offshoot-environment-base')
      .flatMap(rulesOf)
      .filter(({ resources }) => resources.some(resource => resource.startsWith('endpoint')))
      .flatMap(({ verbs }) => verbs)
    expect(new Set(written)).toEqual(new Set(['get', 'list', 'watch']))
  })

  it('gives the controller no way to more rights than the installation allows', async () => {
    const objects = await rbacManifests(installation)
    const verbs = (verb: string) =>
      objects.flatMap(object =>
        rulesOf(object)
          .filter(rule => rule.verbs.includes(verb))
          .map(({ resources, resourceNames }) => ({
            in: `${object.kind} ${object.metadata.name}`,
            resources,
            resourceNames,
          })),
      )
    expect(verbs('escalate')).toEqual([])
    expect(verbs('bind')).toEqual([
      {
        in: 'ClusterRole blue-controller',
        resources: ['clusterroles'],
        resourceNames: installation.allowedClusterRoles,
      },
      { in: 'Role blue-cluster-id-binder', resources: ['roles'], resourceNames: ['offshoot-cluster-id'] },
    ])
    // Impersonation and Secrets: only by Roles of the namespaces that hold projects, and only of accounts.
    expect(verbs('impersonate').map(({ in: place, resources }) => [place, resources])).toEqual([
      ['Role blue-projects', ['serviceaccounts']],
      ['Role blue-projects', ['serviceaccounts']],
    ])
    const secrets = objects.flatMap(object =>
      rulesOf(object)
        .filter(rule => rule.resources.includes('secrets'))
        .map(rule => [object.kind, object.metadata.name, object.metadata.namespace, rule.verbs.join()]),
    )
    expect(secrets.filter(([, name]) => name !== 'offshoot-environment-base')).toEqual([
      ['Role', 'blue-projects', 'team-a', 'get,create,patch,delete'],
      ['Role', 'blue-projects', 'team-b', 'get,create,patch,delete'],
    ])
  })

  it('keeps what guards an environment out of its own account’s reach', async () => {
    const base = (await rbacManifests(installation)).find(
      ({ metadata }) => metadata.name === 'offshoot-environment-base',
    )
    const resources = rulesOf(base as KubeObject).flatMap(rule => rule.resources)
    expect(resources).toContain('configmaps')
    for (const kept of ['roles', 'rolebindings', 'resourcequotas', 'limitranges', 'networkpolicies', 'pods/exec']) {
      expect(resources).not.toContain(kept)
    }
    expect(rulesOf(base as KubeObject).flatMap(rule => rule.verbs)).not.toContain('impersonate')
  })

  it('binds everything to the controller’s account in the chosen namespace and to nobody else', async () => {
    const bindings = (await rbacManifests(installation)).filter(({ kind }) => kind.endsWith('Binding'))
    expect(bindings.length).toBe(5)
    for (const { subjects } of bindings) {
      expect(subjects).toEqual([{ kind: 'ServiceAccount', name: 'offshoot', namespace: 'blue-system' }])
    }
    const text = JSON.stringify([await rbacManifests(installation), await admissionManifests(installation)])
    expect(text).not.toContain('offshoot-system')
  })

  it('speaks of the same account in the admission policy', async () => {
    const [policy] = await admissionManifests(installation)
    expect(JSON.stringify(policy?.spec)).toContain('system:serviceaccount:blue-system:offshoot')
    expect(policy?.spec).toMatchObject({
      variables: expect.arrayContaining([
        { name: 'allowedClusterRoles', expression: '["offshoot-environment","team-environment"]' },
      ]),
    })
    expect(policy?.metadata.name).toBe('blue-controller')
  })

  it('brings both CRDs', async () => {
    expect((await crdManifests()).map(({ metadata }) => metadata.name)).toEqual([
      'reviewprojects.offshoot.dev',
      'reviewenvironments.offshoot.dev',
    ])
  })
})
