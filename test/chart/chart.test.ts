import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { parse } from 'yaml'
import { generatedChartFiles } from '../../src/cli/chart/generate.ts'
import { chartValues } from '../../src/cli/chart/values-table.ts'
import { admissionManifests, crdManifests, type Installation, rbacManifests } from '../../src/cli/manifests.ts'
import { parseServeSettings } from '../../src/cli/serve-settings.ts'
import { offshootVersion } from '../../src/cli/version.ts'
import type { KubeObject } from '../../src/kube/types.ts'
import { packageFile } from '../../src/util/package-files.ts'
import {
  chartFolder,
  helm,
  type RenderedDeployment,
  renderChart,
  rendered,
  settingsIn,
  valueFlags,
} from '../harness/helm.ts'
import { changedValues } from './changed-values.ts'

// Each test starts helm, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const valuesText = await readFile(join(chartFolder, 'values.yaml'), 'utf8')
const generatedFiles = await generatedChartFiles()
const isRight = ({ kind, apiVersion }: KubeObject) =>
  apiVersion.startsWith('rbac.authorization.k8s.io/') || kind.startsWith('ValidatingAdmissionPolicy')

/** What a right says, whoever wrote it down, and in a fixed order. */
function contents(objects: readonly KubeObject[]): string[] {
  return objects
    .filter(isRight)
    .map(({ metadata, ...object }) => {
      const { 'app.kubernetes.io/name': name, ...all } = metadata.labels ?? {}
      const own = Object.entries(all).filter(([key]) => !/^(?:app\.kubernetes\.io|helm\.sh)\//.test(key))
      const place = { name: metadata.name, namespace: metadata.namespace, labels: [['name', name], ...own] }
      return JSON.stringify([object.kind, place, sorted(object)])
    })
    .sort()
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  )
}

const renders = new Map<string, Promise<KubeObject[]>>()

/** As renderChart, for values that many tests begin with. */
function renderOnce(values: Record<string, unknown> = {}): Promise<KubeObject[]> {
  const key = JSON.stringify(values)
  const known = renders.get(key) ?? renderChart({ values })
  renders.set(key, known)
  return known
}

describe('the chart', () => {
  it('passes helm lint', async () => {
    expect(await helm(['lint', '--strict', chartFolder])).toContain('0 chart(s) failed')
  })

  it('has the version of the package', async () => {
    const { version, appVersion } = parse(await readFile(join(chartFolder, 'Chart.yaml'), 'utf8')) as Record<
      string,
      string
    >
    expect([version, appVersion]).toEqual([offshootVersion(), offshootVersion()])
  })

  it.each(generatedFiles)('$path is what npm run generate writes', async ({ path, text }) => {
    expect(await readFile(packageFile(path), 'utf8')).toBe(text)
  })

  it('installs the CRDs of config/crd and keeps them', async () => {
    const crds = (await renderChart()).filter(({ kind }) => kind === 'CustomResourceDefinition')
    expect(crds.map(({ spec }) => spec)).toEqual(expect.arrayContaining((await crdManifests()).map(({ spec }) => spec)))
    expect(crds).toHaveLength(2)
    for (const { metadata } of crds) expect(metadata.annotations).toEqual({ 'helm.sh/resource-policy': 'keep' })
  })

  it('keeps the namespaces of projects', async () => {
    const values = { projectNamespaces: ['team-a', 'team-b'] }
    const namespaces = (await renderChart({ values })).filter(({ kind }) => kind === 'Namespace')
    expect(namespaces.map(({ metadata }) => metadata.name)).toEqual(['team-a', 'team-b'])
    for (const { metadata } of namespaces) expect(metadata.annotations).toEqual({ 'helm.sh/resource-policy': 'keep' })
  })
})

describe('rights', () => {
  const installations: Installation[] = [
    {
      name: 'offshoot',
      controllerNamespace: 'offshoot-system',
      projectNamespaces: ['offshoot'],
      allowedClusterRoles: ['offshoot-environment'],
    },
    {
      name: 'blue',
      controllerNamespace: 'blue-system',
      projectNamespaces: ['team-a', 'team-b'],
      allowedClusterRoles: ['offshoot-environment', 'team-environment'],
    },
    { name: 'none', controllerNamespace: 'none', projectNamespaces: [], allowedClusterRoles: ['a'] },
  ]

  it.each(installations)('of release $name are those of offshoot install', async installation => {
    const { name, controllerNamespace: namespace, projectNamespaces, allowedClusterRoles } = installation
    const objects = await renderChart({ name, namespace, values: { projectNamespaces, allowedClusterRoles } })
    const expected = [...(await rbacManifests(installation)), ...(await admissionManifests(installation))]
    expect(contents(objects)).toEqual(contents(expected))
    expect(rendered(objects, 'ServiceAccount').metadata).toMatchObject({ name: 'offshoot', namespace })
  })

  it('of a second release on a cluster leave out what is shared', async () => {
    const all = contents(await renderChart({ name: 'blue' }))
    const second = contents(await renderChart({ name: 'blue', values: { 'rbac.shared': false } }))
    const shared = all.filter(object => !second.includes(object))
    expect(shared).toHaveLength(6)
    const other = new Set(
      contents(
        await renderChart({ name: 'green', namespace: 'green', values: { projectNamespaces: ['green-projects'] } }),
      ),
    )
    expect(second.filter(object => other.has(object))).toEqual([])
    expect(shared.filter(object => !other.has(object))).toEqual([])
  })
})

describe('values', () => {
  it('each have a comment, and the README tells of them', async () => {
    const documented = chartValues(valuesText).map(({ path }) => path)
    const undocumented = leaves(parse(valuesText)).filter(
      leaf => !documented.some(path => leaf === path || leaf.startsWith(`${path}.`)),
    )
    expect(undocumented).toEqual([])
  })

  it('each do something', async () => {
    expect(Object.keys(changedValues).sort()).toEqual(
      chartValues(valuesText)
        .map(({ path }) => path)
        .sort(),
    )
  })

  it.each(Object.entries(changedValues))(
    '%s changes what is installed',
    { concurrent: true },
    async (path, [value, needs]) => {
      expect(await renderChart({ values: { ...needs, [path]: value } })).not.toEqual(await renderOnce(needs))
    },
  )

  it.each([
    [{ replica: 3 }, 'replica'],
    [{ 'image.tags': 'x' }, 'tags'],
    [{ replicas: 'two' }, 'replicas'],
    [{ replicas: -1 }, 'replicas'],
    [{ 'image.digest': 'latest' }, 'digest'],
    [{ 'image.pullPolicy': 'Sometimes' }, 'pullPolicy'],
    [{ projectNamespaces: 'offshoot' }, 'projectNamespaces'],
    [{ projectNamespaces: ['Team_A'] }, 'projectNamespaces'],
    [{ projectNamespaces: ['a', 'a'] }, 'projectNamespaces'],
    [{ projectNamespaces: ['kube-system'] }, 'projectNamespaces'],
    [{ projectNamespaces: ['offshoot-system'] }, 'could act as the controller'],
    [{ projectNamespaces: ['a"}}{{ .Release'] }, 'projectNamespaces'],
    [{ allowedClusterRoles: [] }, 'allowedClusterRoles'],
    [{ allowedClusterRoles: ['a" || true || "'] }, 'allowedClusterRoles'],
    [{ watchNamespaces: ['elsewhere'] }, 'elsewhere'],
    [{ 'controller.logLevel': 'chatty' }, 'logLevel'],
    [{ 'controller.leaseDuration': '15 seconds' }, 'leaseDuration'],
    [{ 'controller.extraArgs': ['serve'] }, 'extraArgs'],
    [{ 'ingress.enabled': true }, 'ingress'],
    [{ 'webhooks.existingSecret.key': '../x' }, 'key'],
    [{ 'webhooks.url': 'http://offshoot.example.com' }, 'url'],
    [{ 'githubApp.id': '1' }, 'githubApp'],
    [{ 'githubApp.allow': ['acme/*'] }, 'allow'],
    [{ 'resources.limits.memory': 'much' }, 'memory'],
    [{ runAsUser: 0 }, 'runAsUser'],
    [{ 'jobs.extraEnv': [{ name: 'A', valueFrom: {} }] }, 'extraEnv'],
    [{ 'jobs.resources.limits.memory': 'much' }, 'memory'],
  ])('%j are refused', { concurrent: true }, async (values, complaint) => {
    await expect(renderChart({ values })).rejects.toMatchObject({ stderr: expect.stringContaining(complaint) })
  })
})

function leaves(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || Object.keys(value).length === 0)
    return [path]
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, path === '' ? key : `${path}.${key}`))
}

describe('the notes after an install', () => {
  const notes = async (values: Record<string, unknown>) => {
    const flags = ['--dry-run=client', '--namespace', 'offshoot-system', ...valueFlags(values)]
    return /^NOTES:\n(.*)/ms.exec(await helm(['install', 'offshoot', chartFolder, ...flags]))?.[1] ?? ''
  }

  it('say the next steps', async () => {
    const text = await notes({ projectNamespaces: ['team-a'] })
    expect(text).toContain('rollout status deployment/offshoot')
    expect(text).toContain('kubectl -n team-a create secret generic')
    expect(text).toContain('kubectl delete reviewprojects --all -A')
    expect(text).toContain('ingress.enabled')
  })

  it('name the webhook’s address where there is one', async () => {
    const ingress = { enabled: true, host: 'offshoot.example.com', tls: { secretName: 'tls' } }
    expect(await notes({ ingress })).toContain('https://offshoot.example.com/webhooks/github/offshoot/')
    expect(await notes({ ingress: { ...ingress, tls: { secretName: '' } } })).toContain('http://offshoot.example.com/')
  })

  it('say what to do where no namespace is open', async () => {
    expect(await notes({ projectNamespaces: [] })).toContain('No namespace is open')
  })
})

describe('the pods', () => {
  it('run offshoot serve with flags that it takes', async () => {
    const values = {
      watchNamespaces: ['offshoot'],
      allowedClusterRoles: ['a', 'b'],
      'controller.installation': 'cluster one',
      'controller.workers': 7,
      'webhooks.existingSecret.name': 'hooks',
      'webhooks.url': 'https://offshoot.example.com',
      githubApp: { id: '42', existingSecret: { name: 'app' }, allow: ['team-a=acme/*', '*=acme/docs'] },
    }
    const deployment = rendered<RenderedDeployment>(await renderChart({ values }), 'Deployment')
    expect(parseServeSettings(settingsIn(deployment), {})).toMatchObject({
      listen: { host: '0.0.0.0', port: 8080 },
      metricsListen: { host: '0.0.0.0', port: 9090 },
      namespace: 'offshoot-system',
      watchNamespace: ['offshoot'],
      allowedClusterRole: ['a', 'b'],
      installation: 'cluster one',
      workers: 7,
      leaderElection: true,
      webhookSecretFile: '/etc/offshoot/webhooks/secrets',
      webhookUrl: 'https://offshoot.example.com',
      githubAppId: '42',
      githubAppPrivateKeyFile: '/etc/offshoot/github-app/privateKey',
      githubAppAllow: ['team-a=acme/*', '*=acme/docs'],
      githubAppApiUrl: 'https://api.github.com',
      cacheFolder: '/cache',
      shutdownTimeout: 20_000,
    })
    const plain = { 'controller.ipv6': true, 'metrics.enabled': false }
    const other = rendered<RenderedDeployment>(await renderChart({ values: plain }), 'Deployment')
    expect(parseServeSettings(settingsIn(other), {})).toMatchObject({
      listen: { host: '::', port: 8080 },
      metricsListen: undefined,
    })
  })

  it('name the Ingress as the address of webhooks where it has TLS, and mount what the flags name', async () => {
    const ingress = { enabled: true, host: 'offshoot.example.com', tls: { secretName: 'tls' } }
    const githubApp = { id: '42', existingSecret: { name: 'app', key: 'pem' }, allow: ['*=*/*'] }
    const deployment = rendered<RenderedDeployment>(await renderChart({ values: { ingress, githubApp } }), 'Deployment')
    const { webhookUrl, githubAppPrivateKeyFile } = parseServeSettings(settingsIn(deployment), {})
    expect(webhookUrl).toBe('https://offshoot.example.com')
    expect(githubAppPrivateKeyFile).toBe('/etc/offshoot/github-app/pem')
    const { volumes, containers } = deployment.spec.template.spec
    expect(volumes).toContainEqual({
      name: 'github-app',
      secret: { secretName: 'app', items: [{ key: 'pem', path: 'pem' }] },
    })
    const mount = { name: 'github-app', mountPath: '/etc/offshoot/github-app', readOnly: true }
    expect(containers[0].volumeMounts).toContainEqual(mount)
  })

  it('have longer to end than the work in them', async () => {
    const values = { 'controller.shutdownSeconds': 90 }
    const { spec } = rendered<RenderedDeployment>(await renderChart({ values }), 'Deployment').spec.template
    expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(95)
  })
})
