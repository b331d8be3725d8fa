import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { ReviewEnvironment } from '../../src/api/index.ts'
import { isReady } from '../../src/cli/env-progress.ts'
import { type KubeObject, keyOf } from '../../src/kube/types.ts'
import { waitFor } from '../harness/cluster.ts'
import { aHouse, type House, type ProjectOptions } from '../harness/house.ts'
import { kluctlStandIn } from '../harness/story-backends.ts'

type Sample = KubeObject & { metadata: { name: string }; spec: Record<string, unknown> }

const folder = join(import.meta.dirname, '../../config/samples')

function sample(file: string): Sample {
  return parse(readFileSync(join(folder, file), 'utf8')) as Sample
}

/** A sample project as it is, but for where its repository is; and, in the shared cluster, with names of its own. */
function projectOf(
  { spec: { source, ...spec } }: Sample,
  repository: string,
  files?: ProjectOptions['files'],
): ProjectOptions {
  const { forge } = source as { forge: { type: 'github' | 'git' } }
  return { ...spec, repository, forge: forge.type, ...(files === undefined ? {} : { files }) }
}

/** Says of every pod of a namespace what a node would: there are no nodes in a control plane. */
async function runPods(house: House, namespace: string): Promise<void> {
  const kind = { apiVersion: 'v1', kind: 'Pod' }
  const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: new Date().toISOString() }]
  const pods = await waitFor(
    async () => {
      const { items } = await house.kube.list(kind, { namespace })
      return items.length > 0 && items
    },
    { describe: `pods in ${namespace}`, deadline: 60_000 },
  )
  for (const { metadata } of pods) {
    const key = { ...kind, namespace, name: metadata.name ?? '' }
    const status = { phase: 'Running', conditions }
    await house.kube.patch<KubeObject>(key, { status }, { type: 'strategic', subresource: 'status' })
  }
}

const kluctlFiles = {
  'deploy/.kluctl.yaml': [
    'discriminator: "shop-{{ args.environment }}"',
    'targets:',
    '  - name: preview',
    'args:',
    '  - name: environment',
    '  - name: namespace',
    '  - name: tag',
    '',
  ].join('\n'),
  'deploy/deployment.yaml': 'deployments:\n  - path: app\n',
  'deploy/app/config.yaml': [
    'apiVersion: v1',
    'kind: ConfigMap',
    'metadata:',
    '  name: shop',
    '  namespace: "{{ args.namespace }}"',
    'data:',
    '  tag: "{{ args.tag }}"',
    '',
  ].join('\n'),
}

describe('config/samples', { concurrent: true }, () => {
  it('are all told of here', () => {
    const told = [
      'first.yaml',
      'git-branches.yaml',
      'github-engine.yaml',
      'github-kluctl.yaml',
      'github-objects.yaml',
      'manual-environment.yaml',
    ]
    expect(readdirSync(folder).sort()).toEqual(told)
  })

  it('first.yaml gives every pull request a namespace with a ConfigMap that names its commit', async () => {
    await using house = await aHouse()
      .withProject('shop', projectOf(sample('first.yaml'), 'acme/shop'))
      .start()
    const pull = await house.repo().openPullRequest()
    const { status } = await house.environment(pull).toBeReady(pull.sha)
    const key = { apiVersion: 'v1', kind: 'ConfigMap', namespace: status?.namespace ?? '', name: 'shop' }
    expect(await house.kube.get(key)).toMatchObject({ data: { commit: pull.sha } })
  })

  it('github-objects.yaml gives a labelled pull request a Deployment, a Service and an Ingress, and a link', async () => {
    const project = sample('github-objects.yaml')
    await using house = await aHouse().withProject('shop', projectOf(project, 'acme/shop')).start()
    const files = { 'services/shop/main.go': 'package main\n' }
    const [pull, other] = await house.repo().openPullRequests([{ labels: ['preview'], files }, { files }])
    if (!pull || !other) throw new Error('two were opened')
    const environment = house.environment(pull)
    const { status } = await environment.toMatch(found => found.status?.state === 'Deploying', 'deploying')
    const namespace = status?.namespace ?? ''
    await runPods(house, namespace)
    await environment.toBeReady(pull.sha)
    const found = async (apiVersion: string, kind: string) =>
      JSON.stringify(await house.kube.get({ apiVersion, kind, namespace, name: 'shop' }))
    expect(await found('apps/v1', 'Deployment')).toContain(`ghcr.io/acme/shop:${pull.sha}`)
    expect(await found('v1', 'Service')).toContain('"targetPort":8080')
    const url = `${environment.name}.preview.example.com`
    expect(await found('networking.k8s.io/v1', 'Ingress')).toContain(url)
    await house.toSay(pull, `https://${url}`)
    expect(await house.environment(other).get()).toBeUndefined()
  })

  it('github-kluctl.yaml and manual-environment.yaml deploy branches: those that match, and one by hand', async () => {
    const project = sample('github-kluctl.yaml')
    await using house = await aHouse()
      .deployingBy(kluctlStandIn)
      .withProject(project.metadata.name, projectOf(project, 'acme/shop', kluctlFiles))
      .start()
    const [feature, unfinished] = [{ branch: 'feature/search' }, { branch: 'feature/wip-search' }]
    for (const { branch } of [feature, unfinished]) await house.repo().push(branch, { 'a.txt': branch })
    const sha = await house.repo().push('my-experiment', { 'a.txt': 'mine' })
    const manual = sample('manual-environment.yaml')
    const own = { ...manual, metadata: { ...manual.metadata, namespace: house.namespace } }
    await house.kube.create(own, { fieldValidation: 'Strict' })

    const byHand = () => house.kube.get<ReviewEnvironment & KubeObject>(keyOf(own))
    const { status } = await waitFor(
      async () => {
        const found = await byHand()
        return found !== undefined && isReady(found) && found.spec.revision === sha && found
      },
      {
        describe: async () => `the environment by hand to be ready: ${JSON.stringify(await byHand())}`,
        deadline: 60_000,
      },
    )
    const key = { apiVersion: 'v1', kind: 'ConfigMap', namespace: status?.namespace ?? '', name: 'shop' }
    expect(await house.kube.get(key)).toMatchObject({ data: { tag: sha } })
    await house.environment(feature).toBeReady()
    await house.list()
    await house.settled()
    expect(await house.environment(unfinished).get()).toBeUndefined()
    expect(await byHand()).toMatchObject({ spec: { origin: 'manual' } })
  })

  it('github-engine.yaml deploys a pull request by the engine', async () => {
    const project = sample('github-engine.yaml')
    await using house = await aHouse()
      .withProject(project.metadata.name, projectOf(project, 'acme/shop', kluctlFiles))
      .start()
    const pull = await house.repo().openPullRequest()
    const { status } = await house.environment(pull).toBeReady(pull.sha, { deadline: 120_000 })
    const key = { apiVersion: 'v1', kind: 'ConfigMap', namespace: status?.namespace ?? '', name: 'shop' }
    expect(await house.kube.get(key)).toMatchObject({ data: { tag: pull.sha } })
  })

  it('git-branches.yaml gives the branches of a bare Git server environments', async () => {
    const project = sample('git-branches.yaml')
    await using house = await aHouse().withProject('docs', projectOf(project, 'acme/docs')).start()
    const sha = await house.repo().push('draft/intro', { 'a.txt': 'a' })
    await house.list()
    const { status } = await house.environment({ branch: 'draft/intro' }).toBeReady(sha)
    const key = { apiVersion: 'v1', kind: 'ConfigMap', namespace: status?.namespace ?? '', name: 'docs' }
    expect(await house.kube.get(key)).toMatchObject({ data: { branch: 'draft/intro', commit: sha } })
  })
})
