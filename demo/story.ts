import { randomBytes } from 'node:crypto'
import { apiVersion, findCondition, type ReviewEnvironment, type ReviewProject } from '../src/api/index.ts'
import { isReady } from '../src/cli/env-progress.ts'
import type { KubeObject } from '../src/kube/types.ts'
import { waitFor } from '../test/harness/wait.ts'
import { projectName, repositoryName, shopProject } from './shop.ts'
import { projectNamespace, type Stage } from './stage.ts'

/** One step of the demo: it throws unless what it shows is so. Gives what there is to say about it. */
export interface Step {
  name: string
  title: string
  run(): Promise<string>
}

const environmentKey = { apiVersion, kind: 'ReviewEnvironment', namespace: projectNamespace, name: 'shop-pr-1' }
const deadline = 60_000

/** The demo, step by step. */
export function story(stage: Stage, signal: AbortSignal): Step[] {
  const repository = () => stage.forge.repo(repositoryName)
  const wait = <T>(describe: string, condition: () => Promise<T>) => waitFor(condition, { describe, deadline, signal })
  return [
    { name: 'cluster', title: 'A Kubernetes API server', run: () => stage.startCluster() },
    { name: 'forge', title: 'A Git host', run: () => stage.startForge() },
    { name: 'install', title: 'offshoot install --apply', run: () => stage.install() },
    { name: 'serve', title: 'offshoot serve', run: () => stage.startOffshoot() },
    { name: 'project', title: 'A ReviewProject', run: () => createProject(stage, wait) },
    {
      name: 'open',
      title: 'A pull request opens: its environment comes up',
      run: async () => {
        const pull = await repository().openPullRequest({
          branch: 'new-page',
          title: 'A new page',
          files: { 'page.html': '<h1>New</h1>\n' },
        })
        return showRuns(stage, pull.sha, wait)
      },
    },
    {
      name: 'feedback',
      title: 'The pull request is told',
      run: () =>
        wait('comment and commit status', async () => {
          const { sha } = repository().pull(1)
          const [status] = repository().statusesOf(sha)
          const comments = repository().commentsOf(1)
          if (status?.state !== 'success' || comments.length !== 1) return undefined
          return `${status.context}: ${status.state}; one comment: ${stage.forge.origin}/${repositoryName}/pull/1`
        }),
    },
    {
      name: 'push',
      title: 'A push: the same environment has the new commit',
      run: async () => showRuns(stage, await repository().pushTo(1, { 'page.html': '<h1>Newer</h1>\n' }), wait),
    },
    { name: 'close', title: 'The pull request closes: everything is gone', run: () => close(stage, wait) },
    { name: 'nothing-left', title: 'Nothing is left', run: () => nothingLeft(stage, wait) },
  ]
}

type Wait = <T>(describe: string, condition: () => Promise<T>) => Promise<unknown>

async function createProject(stage: Stage, wait: Wait): Promise<string> {
  const webhookSecret = randomBytes(16).toString('hex')
  const stringData = { token: 'fake-token', webhookSecret }
  const metadata = { namespace: projectNamespace, name: 'shop-forge' }
  await stage.kube.create({ apiVersion: 'v1', kind: 'Secret', metadata, stringData })
  stage.hook(projectName, webhookSecret)
  const { url } = stage.forge.repo(repositoryName)
  const project = shopProject(projectNamespace, url, stage.forge.apiUrl)
  await stage.kube.create(project, { fieldValidation: 'Strict' })
  const key = { apiVersion, kind: 'ReviewProject', namespace: projectNamespace, name: projectName }
  await wait('the project to be listed', async () => {
    const found = await stage.kube.get<ReviewProject>(key)
    return (
      found?.status?.lastListing !== undefined && findCondition(found.status.conditions, 'Ready')?.status === 'True'
    )
  })
  return `${projectNamespace}/${projectName} follows ${repositoryName}: its Kluctl project (a Helm chart, a hook, two services) for each pull request`
}

async function showRuns(stage: Stage, sha: string, wait: Wait): Promise<string> {
  let namespace = ''
  let found: ReviewEnvironment | undefined
  await wait(`the environment with ${sha}`, async () => {
    found = await stage.kube.get<ReviewEnvironment>(environmentKey)
    namespace = found?.status?.namespace ?? ''
    return found !== undefined && isReady(found) && found.status?.deployedRevision === sha
  })
  const key = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'shop' }
  const deployed = await stage.kube.get<KubeObject & { data?: { commit?: string } }>(key)
  if (deployed?.data?.commit !== sha) throw new Error(`the deployed ConfigMap does not hold ${sha}`)
  const objects = found?.status?.engine?.objects ?? 0
  return `namespace ${namespace} runs ${sha.slice(0, 12)}: ${objects} objects of the Kluctl project`
}

async function close(stage: Stage, wait: Wait): Promise<string> {
  const before = await stage.kube.get<ReviewEnvironment>(environmentKey)
  const { namespace = '', serviceAccount = '' } = before?.status ?? {}
  await stage.forge.repo(repositoryName).close(1)
  const keys = [
    environmentKey,
    { apiVersion: 'v1', kind: 'Namespace', name: namespace },
    { apiVersion: 'v1', kind: 'ServiceAccount', namespace: projectNamespace, name: serviceAccount },
  ]
  await wait('environment, namespace and account to be gone', async () => {
    const left = await Promise.all(keys.map(key => stage.kube.get(key)))
    return left.every(object => object === undefined)
  })
  return `environment, namespace ${namespace} and account ${serviceAccount} are gone`
}

const mayHold = [
  { apiVersion: 'v1', kind: 'Namespace' },
  { apiVersion: 'v1', kind: 'ServiceAccount' },
  { apiVersion: 'v1', kind: 'ConfigMap' },
  { apiVersion: 'v1', kind: 'Service' },
  { apiVersion: 'apps/v1', kind: 'Deployment' },
  { apiVersion: 'batch/v1', kind: 'Job' },
  { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding' },
  { apiVersion, kind: 'ReviewEnvironment' },
]

async function nothingLeft(stage: Stage, wait: Wait): Promise<string> {
  const selectors = ['app.kubernetes.io/managed-by=offshoot', 'kluctl.io/discriminator']
  const lists = await Promise.all(
    mayHold.flatMap(kind => selectors.map(labelSelector => stage.kube.list(kind, { labelSelector }))),
  )
  const left = lists.flatMap(({ items }) => items.map(({ kind, metadata }) => `${kind} ${metadata.name}`))
  if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`)
  await wait('the comment to say that it is gone', async () => {
    const [comment] = stage.forge.repo(repositoryName).commentsOf(1)
    return /gone|removed/i.test(comment?.body ?? '')
  })
  return 'no object of Offshoot’s in the cluster, and the comment says so'
}
