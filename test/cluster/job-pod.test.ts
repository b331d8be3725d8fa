import { beforeAll, describe, expect, it } from 'vitest'
import { jobFor, jobName } from '../../src/backend/engine/job-manifest.ts'
import { JobPod } from '../../src/backend/engine/job-pod.ts'
import { KubeError } from '../../src/kube/errors.ts'
import type { KubeObject } from '../../src/kube/types.ts'
import { adminClient, uniqueNamespace } from '../harness/cluster.ts'

const strict = { dryRun: true, fieldValidation: 'Strict' } as const
let namespace: string

beforeAll(async () => {
  namespace = await uniqueNamespace('job-pod')
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' }
  await adminClient().patch(
    { apiVersion: 'v1', kind: 'Namespace', name: namespace },
    { metadata: { labels } },
    { type: 'merge' },
  )
  await adminClient().create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name: 'shop' } })
})

/** The Job of a run in that namespace, in a pod with these settings. */
function job(pod: object) {
  const run = {
    mode: 'deploy',
    digest: 'd'.repeat(64),
    projectNamespace: namespace,
    project: 'shop',
    environment: { name: 'shop-pr-1', uid: 'u-1' },
    serviceAccount: 'shop',
    readinessTimeout: 1,
  } as const
  return jobFor(run, jobName(run, 1), 'registry.example.com/offshoot:1', JobPod.parse(pod))
}

/** A pod as the Job's controller would make it. */
function podOf({ spec }: KubeObject, change: object = {}): KubeObject {
  const { template } = spec as { template: { metadata: object; spec: object } }
  const metadata = { ...template.metadata, namespace, name: 'shop' }
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { ...template.spec, ...change } }
}

const everything = {
  env: [{ name: 'HTTPS_PROXY', value: 'http://proxy.example.com:3128' }],
  imagePullPolicy: 'Always',
  imagePullSecrets: [{ name: 'pull' }],
  nodeSelector: { 'kubernetes.io/arch': 'arm64' },
  tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'review', effect: 'NoExecute', tolerationSeconds: 60 }],
  securityContext: { runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000 },
  resources: { requests: { cpu: '250m', memory: '1Gi' }, limits: { memory: '4Gi', 'ephemeral-storage': '2Gi' } },
}

describe('the pod of a Job, where the pod security standard is "restricted"', () => {
  it.each([
    ['with nothing of the installation', {}],
    ['with everything that one may give it', everything],
  ])('%s is what the API server takes, word for word', async (_what, settings) => {
    const made = job(settings)
    expect(await adminClient().create(made, strict)).toBeDefined()
    expect(await adminClient().create(podOf(made), strict)).toBeDefined()
  })

  it('has nothing to spare: with less it is refused', async () => {
    const refused = adminClient().create(podOf(job(everything), { securityContext: { runAsUser: 1000 } }), strict)
    await expect(refused).rejects.toBeInstanceOf(KubeError)
    await expect(refused).rejects.toThrow('violates PodSecurity "restricted')
  })
})
