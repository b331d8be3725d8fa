// The same for objects that Offshoot applies itself: test/cluster/serve-stories.test.ts.
import { describe, expect, it } from 'vitest'
import { findCondition } from '../../../src/api/index.ts'
import { uniqueNamespace } from '../../harness/cluster.ts'
import { aHouse } from '../../harness/house.ts'
import { projectBackends } from '../../harness/story-backends.ts'

describe.each(projectBackends)('deployed by $title', { concurrent: true }, backend => {
  const deadline = { deadline: 60_000 * backend.patience }

  it.each([
    {
      what: 'a right over the whole cluster',
      kind: 'ClusterRoleBinding',
      apiVersion: 'rbac.authorization.k8s.io/v1',
      more: 'roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}\nsubjects: []\n',
    },
    { what: 'an object of a foreign namespace', kind: 'ConfigMap', apiVersion: 'v1', more: 'data: {}\n' },
  ])('a branch cannot have $what: the API server refuses, and the status says so', async ({
    kind,
    apiVersion,
    more,
  }) => {
    const foreign = await uniqueNamespace('foreign')
    await using house = await aHouse().deployingBy(backend).withProject('shop', backend.project()).start()
    const repo = house.repo()
    const name = `grab-${house.name}`
    const namespace = kind === 'ConfigMap' ? `, namespace: ${foreign}` : ''
    const grab = `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: ${name}${namespace}}\n${more}`
    const [evil, good] = await repo.openPullRequests([
      { branch: 'evil', files: { 'deploy/app/grab.yaml': grab } },
      { branch: 'good' },
    ])
    if (!evil || !good) throw new Error('two were opened')

    const failed = await house.environment(evil).toBe('Failed', deadline)
    const message = findCondition(failed.status?.conditions, 'Ready')?.message ?? ''
    expect(message).toContain(backend.kluctl ? `${kind} ` : `${kind}/`)
    expect(message).toContain(name)
    expect(message).toMatch(/forbidden/i)
    await house.toSay(evil, 'failed', name)
    await house.toMark(evil.sha, 'failure')
    await house.environment(good).toBeReady(good.sha, deadline)
    const key = { apiVersion, kind, name, ...(kind === 'ConfigMap' ? { namespace: foreign } : {}) }
    expect(await house.kube.get(key)).toBeUndefined()

    await repo.close(evil.number)
    await house.environment(evil).toBeGone(deadline)
    await house.environment(good).toBeReady(good.sha, deadline)
  })
})
