import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { apiVersion, finalizer } from '../../src/api/index.ts'
import { KubeError } from '../../src/kube/errors.ts'
import { type KubeObject, keyOf } from '../../src/kube/types.ts'
import { chartInstaller } from '../harness/chart-installation.ts'
import { type ControlPlane, startControlPlane } from '../harness/control-plane/control-plane.ts'
import { installCrds } from '../harness/control-plane/crds.ts'
import { chartFolder, helm, type RenderedDeployment, renderChart, rendered, valueFlags } from '../harness/helm.ts'
import { aHouse } from '../harness/house.ts'
import type { House } from '../harness/house-model.ts'
import { startOffshoot } from '../harness/offshoot.ts'
import { accountKubeconfigFile, clusterOf, type TestCluster } from '../harness/test-cluster.ts'
import { waitFor } from '../harness/wait.ts'

type Definition = KubeObject & { spec: { versions: { additionalPrinterColumns?: unknown[] }[] } }

// A control plane of its own: a chart installs and keeps CRDs, which the shared one has already.
let controlPlane: ControlPlane
let cluster: TestCluster

beforeAll(async () => {
  controlPlane = await startControlPlane()
  cluster = clusterOf(controlPlane)
})

afterAll(async () => {
  await cluster.admin.close()
  await controlPlane.stop()
})

/** The objects of a house's release, as helm wrote them down. */
async function manifest(house: House): Promise<KubeObject[]> {
  const values = { projectNamespaces: [house.namespace] }
  return renderChart({ name: house.name, namespace: house.system, values })
}

const uninstall = (house: House) =>
  helm(['uninstall', house.name, '--namespace', house.system], cluster.adminKubeconfig)
const isKept = ({ metadata }: KubeObject) => metadata.annotations?.['helm.sh/resource-policy'] === 'keep'
const projectKey = (house: House) => ({ apiVersion, kind: 'ReviewProject', namespace: house.namespace, name: 'shop' })

/** Everything of the release is gone but what must stay. */
async function toBeUninstalled(house: House): Promise<void> {
  const objects = await manifest(house)
  const there = async (object: KubeObject) => (await cluster.admin.get(keyOf(object))) !== undefined
  for (const object of objects.filter(isKept)) expect([object.kind, await there(object)]).toEqual([object.kind, true])
  for (const object of objects.filter(one => !isKept(one))) {
    await waitFor(async () => !(await there(object)), { describe: `${object.kind} ${object.metadata.name} to be gone` })
  }
}

describe('Offshoot, installed by the chart alone', { timeout: 240_000 }, () => {
  it('does its job with the rights and flags of the release, and is uninstalled without a trace', async () => {
    await using house = await aHouse()
      .onCluster(cluster)
      .installedBy(chartInstaller())
      .withOffshoot({ mode: 'childProcess', leaderElection: true })
      .withProject('shop')
      .start()
    const open = await house.repo().openPullRequest()
    await house.environment(open).toBeReady(open.sha)
    const pushed = await house.repo().pushTo(open.number, { 'a.txt': 'a' })
    await house.environment(open).toBeReady(pushed)
    expect(house.offshoot.log.filter(line => /forbidden/i.test(line))).toEqual([])

    await cluster.admin.delete(projectKey(house))
    await house.environment(open).toBeGone()
    await waitFor(async () => (await house.project('shop')) === undefined, { describe: 'the project to be gone' })
    await house.offshoot.stop()
    await uninstall(house)
    await toBeUninstalled(house)
    expect(await house.environmentNamespaces()).toEqual([])
  })

  it('that is uninstalled too early keeps projects and environments until it is installed again', async () => {
    // The CRDs are there, kept by a release of another name.
    const install = chartInstaller({}, ['--take-ownership'])
    await using house = await aHouse()
      .onCluster(cluster)
      .installedBy(install)
      .withOffshoot({ leaderElection: true })
      .withProject('shop')
      .start()
    const pull = await house.repo().openPullRequest()
    const { status } = await house.environment(pull).toBeReady(pull.sha)
    await house.offshoot.stop()
    await uninstall(house)
    await toBeUninstalled(house)

    // Nobody is there to tear down, so nothing goes, and what is deleted waits for its finalizer.
    await cluster.admin.delete(projectKey(house))
    const waiting = await house.project('shop')
    expect(waiting?.metadata.deletionTimestamp).toBeDefined()
    expect(waiting?.metadata.finalizers).toEqual([finalizer])
    expect(await house.environmentNamespaces()).toEqual([status?.namespace])

    const rights = {
      name: house.name,
      controllerNamespace: house.system,
      projectNamespaces: [house.namespace],
      allowedClusterRoles: ['offshoot-environment'],
    }
    const settings = await install(cluster.admin, rights, cluster.adminKubeconfig)
    const kubeconfig = await accountKubeconfigFile(cluster, { namespace: house.system, name: 'offshoot' })
    const again = await startOffshoot({
      kubeconfig,
      namespace: house.system,
      watchNamespaces: [house.namespace],
      leaderElection: true,
      settings: settings ?? {},
    })
    try {
      await house.environment(pull).toBeGone()
      await waitFor(async () => (await house.project('shop')) === undefined, { describe: 'the project to be gone' })
      expect(await house.environmentNamespaces()).toEqual([])
    } finally {
      await again.stop()
    }
    await uninstall(house)
    await toBeUninstalled(house)
  })
})

describe('helm', { timeout: 240_000 }, () => {
  const install = (folder: string, name: string, values: Record<string, unknown>, ...flags: string[]) => {
    const place = ['--namespace', `${name}-system`, '--create-namespace', ...flags]
    return helm(['upgrade', '--install', name, folder, ...place, ...valueFlags(values)], cluster.adminKubeconfig)
  }
  const columns = async () => {
    const crd = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' }
    const found = await cluster.admin.get<Definition>({ ...crd, name: 'reviewprojects.offshoot.dev' })
    return found?.spec.versions.flatMap(({ additionalPrinterColumns = [] }) => additionalPrinterColumns)
  }

  it('upgrades the CRDs with a release, and installs a second one beside it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'offshoot-old-chart-'))
    try {
      await cp(chartFolder, folder, { recursive: true })
      const file = join(folder, 'files/crds/offshoot.dev_reviewprojects.yaml')
      const old = parse(await readFile(file, 'utf8')) as Definition
      for (const version of old.spec.versions) delete version.additionalPrinterColumns
      await writeFile(file, stringify(old))
      await install(folder, 'blue', { projectNamespaces: ['blue'] }, '--take-ownership')
      expect(await columns()).toEqual([])
      await install(chartFolder, 'blue', { projectNamespaces: ['blue'] })
      expect(await columns()).not.toEqual([])
    } finally {
      await rm(folder, { recursive: true })
    }
    const second = {
      projectNamespaces: ['green'],
      watchNamespaces: ['green'],
      'rbac.shared': false,
      'crds.install': false,
    }
    await install(chartFolder, 'green', second)
    for (const name of ['blue', 'green'])
      await helm(['uninstall', name, '-n', `${name}-system`], cluster.adminKubeconfig)
  })
})

describe('what the chart renders', () => {
  const namespace = 'rendered-system'
  const everything = {
    name: 'blue',
    imagePullSecrets: [{ name: 'pull' }],
    'image.digest': `sha256:${'a'.repeat(64)}`,
    projectNamespaces: ['team-a', 'team-b'],
    watchNamespaces: ['team-a'],
    allowedClusterRoles: ['offshoot-environment', 'team-environment'],
    'serviceAccount.annotations': { 'example.com/role': 'offshoot' },
    'controller.extraEnv': [{ name: 'HTTPS_PROXY', value: 'http://proxy.example.com:3128' }],
    'jobs.extraEnv': [{ name: 'LANG', value: 'C.UTF-8' }],
    'jobs.resources.limits.memory': '4Gi',
    'controller.ipv6': true,
    'webhooks.existingSecret.name': 'hooks',
    githubApp: { id: '42', existingSecret: { name: 'app' }, allow: ['team-a=acme/*'] },
    'service.type': 'LoadBalancer',
    'service.annotations': { 'example.com/internal': 'true' },
    ingress: {
      enabled: true,
      className: 'nginx',
      annotations: { 'example.com/a': 'b' },
      host: 'offshoot.example.com',
      tls: { secretName: 'tls' },
    },
    'metrics.serviceMonitor': { enabled: true, labels: { release: 'prometheus' } },
    'networkPolicy.webhooksFrom': [{ ipBlock: { cidr: '192.0.2.0/24' } }],
    'networkPolicy.egress': [{ to: [{ ipBlock: { cidr: '192.0.2.0/24' } }], ports: [{ port: 443, protocol: 'TCP' }] }],
    'podDisruptionBudget.maxUnavailable': '50%',
    podAnnotations: { 'example.com/a': 'b' },
    podLabels: { team: 'platform' },
    extraVolumes: [{ name: 'ca', configMap: { name: 'ca' } }],
    extraVolumeMounts: [{ name: 'ca', mountPath: '/etc/ca', readOnly: true }],
    nodeSelector: { 'kubernetes.io/arch': 'arm64' },
    tolerations: [{ key: 'dedicated', operator: 'Exists' }],
    affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } },
    priorityClassName: 'system-cluster-critical',
  }

  beforeAll(async () => {
    await installCrds(cluster.admin, ['test/fixtures/prometheus'])
    const restricted = { 'pod-security.kubernetes.io/enforce': 'restricted' }
    for (const name of [namespace, 'team-a', 'team-b', 'offshoot']) {
      await cluster.admin.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: restricted } })
    }
    await cluster.admin.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name: 'offshoot' } })
  })

  it.each([
    ['with its own values', {}],
    ['with everything on', everything],
    [
      'with everything off',
      {
        replicas: 1,
        runAsUser: null,
        createProjectNamespaces: false,
        'crds.install': false,
        'rbac.shared': false,
        'metrics.enabled': false,
        'networkPolicy.enabled': false,
        'podDisruptionBudget.enabled': false,
        'topologySpread.keys': [],
      },
    ],
  ])('%s is what the API server takes, word for word', async (_what, values) => {
    const objects = await renderChart({ namespace, values })
    expect(objects.length).toBeGreaterThan(10)
    for (const object of objects) {
      const options = { fieldManager: 'test', force: true, dryRun: true, fieldValidation: 'Strict' } as const
      await cluster.admin.apply(object, options).catch((cause: unknown) => {
        throw new Error(`${object.kind} ${object.metadata.name}`, { cause })
      })
    }
    const { metadata, spec } = rendered<RenderedDeployment>(objects, 'Deployment').spec.template
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, namespace, name: 'pod' }, spec }
    // The PriorityClass is none that a namespace like this may use.
    const plain = { ...pod, spec: { ...spec, priorityClassName: undefined } }
    await cluster.admin.create(plain, { dryRun: true, fieldValidation: 'Strict' })
  })

  it('is held to the pod security standard "restricted": a pod with less is refused', async () => {
    const { spec } = rendered<RenderedDeployment>(await renderChart({ namespace }), 'Deployment').spec.template
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name: 'pod' } }
    const refused = cluster.admin.create({ ...pod, spec: { ...spec, securityContext: {} } }, { dryRun: true })
    await expect(refused).rejects.toBeInstanceOf(KubeError)
  })
})
