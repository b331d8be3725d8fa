import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { ChartServer } from '../../harness/charts/server.ts'
import { helmProject, ownCache } from './project.ts'

// Each starts several programs.
vi.setConfig({ testTimeout: 60_000 })

const app = (url: string, version = '1.0.0') => [
  `repo: ${url}`,
  'chartName: shop',
  `chartVersion: ${version}`,
  'releaseName: my',
  'namespace: shop-{{ target.name }}',
]

test('a chart of a repository is pulled into the project and rendered from there', async () => {
  await using server = await ChartServer.start([
    { name: 'shop', version: '1.0.0' },
    { name: 'shop', version: '1.1.0' },
  ])
  await using project = await helmProject(app(server.url), {
    'app/helm-values.yaml': 'data:\n  who: {{ target.name }}\n',
  })
  const env = await ownCache()
  const before = await project.render(['-t', 't'], env)
  expect(before.code).toBe(1)
  expect(before.stderr).toContain('rendering helm chart shop for release my has failed')
  expect(before.stderr).toContain("can't determine pulled chart dir")

  expect(await project.run(['helm-pull'], env)).toMatchObject({ code: 0 })
  const port = server.host.split(':')[1]
  const folder = join(project.folder, '.helm-charts', `http_${port}_127.0.0.1`, 'stable', 'shop', '1.0.0')
  expect(readdirSync(folder).sort()).toEqual(['Chart.yaml', 'templates', 'values.yaml'])

  const { code, stdout, stderr } = await project.render(['-t', 't'], env)
  expect(code, stderr).toBe(0)
  expect(stdout).toContain('version: 1.0.0\n')
  expect(stdout).toContain('kube: v1.36.0\n')
  expect(stdout).toContain('who: t\n')
  expect(stdout).toContain('kluctl.io/helm-install-namespace: shop-t\n')
  expect(stdout).toContain('namespace: shop-t\n')
})

test('another version in helm-chart.yaml asks for helm-pull, which removes the old one', async () => {
  await using server = await ChartServer.start([
    { name: 'shop', version: '1.0.0' },
    { name: 'shop', version: '1.1.0' },
  ])
  await using project = await helmProject(app(server.url))
  const env = await ownCache()
  await project.run(['helm-pull'], env)
  await project.write({ 'app/helm-chart.yaml': `helmChart:\n  ${app(server.url, '1.1.0').join('\n  ')}\n` })
  const stale = await project.render(['-t', 't'], env)
  expect(stale.stderr).toContain('Helm Chart shop has not been pre-pulled')
  const pulled = await project.run(['helm-pull'], env)
  expect(pulled.stderr).toContain('Removing unused Chart with version 1.0.0')
  expect((await project.render(['-t', 't'], env)).stdout).toContain('version: 1.1.0\n')
})

test('a repository with a login is opened by variables or flags, and not by those of another path', async () => {
  await using server = await ChartServer.start([{ name: 'shop', version: '1.0.0' }], 'ann:s3cret')
  await using project = await helmProject(app(server.url))
  const set = { KLUCTL_HELM_3_HOST: server.host, KLUCTL_HELM_3_USERNAME: 'ann', KLUCTL_HELM_3_PASSWORD: 's3cret' }
  const refused = await project.run(['helm-pull'], { ...(await ownCache()), ...set, KLUCTL_HELM_3_PATH: 'other' })
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain('401 Unauthorized')
  const wrong = await project.run(['helm-pull', `--helm-creds=${server.host}=ann:wr0ng`], await ownCache())
  expect(wrong.stderr).toContain('401 Unauthorized')
  expect(wrong.stderr).not.toContain('wr0ng')
  expect(await project.run(['helm-pull'], { ...(await ownCache()), ...set, KLUCTL_HELM_3_PATH: 'st*' })).toMatchObject({
    code: 0,
  })
  const flags = [`--helm-username=${server.host}/stable=ann`, `--helm-password=${server.host}/stable=s3cret`]
  expect(await project.run(['helm-pull', ...flags], await ownCache())).toMatchObject({ code: 0 })
})

test('a chart of a registry is pulled on demand with skipPrePull, once for many runs', async () => {
  await using server = await ChartServer.start([{ name: 'shop', version: '2.0.0' }], 'bob:pw')
  const chart = [`repo: ${server.oci('shop')}`, 'chartVersion: 2.0.0', 'skipPrePull: true', 'releaseName: r']
  await using project = await helmProject(chart)
  const env = {
    ...(await ownCache()),
    KLUCTL_REGISTRY_HOST: server.host,
    KLUCTL_REGISTRY_USERNAME: 'bob',
    KLUCTL_REGISTRY_PASSWORD: 'pw',
    KLUCTL_REGISTRY_PLAIN_HTTP: 'true',
  }
  const { code, stdout, stderr } = await project.render(['-t', 't'], env)
  expect(code, stderr).toBe(0)
  expect(stdout).toContain('version: 2.0.0\n')
  expect(stdout).not.toContain('helm-install-namespace')
  expect(existsSync(join(project.folder, '.helm-charts'))).toBe(false)
  const requests = server.requests.length
  expect((await project.render(['-t', 't'], env)).stdout).toBe(stdout)
  expect(server.requests).toHaveLength(requests)
})

test('a version that is not there is named by Helm', async () => {
  await using server = await ChartServer.start([{ name: 'shop', version: '1.0.0' }])
  await using project = await helmProject(app(server.url, '9.9.9'))
  const { code, stderr } = await project.run(['helm-pull'], await ownCache())
  expect(code).toBe(1)
  expect(stderr).toMatch(/shop: [\s\S]*9\.9\.9[\s\S]*not found/)
})

test('helm-pull needs the root of a project', async () => {
  await using project = await helmProject(['path: x', 'releaseName: r'])
  mkdirSync(join(project.folder, 'app'), { recursive: true })
  const { stderr } = await project.run(['helm-pull'], await ownCache(), 'app')
  expect(stderr).toContain('helm-pull can only be used on the root of a Kluctl project')
  expect(readFileSync(join(project.folder, 'app/helm-chart.yaml'), 'utf8')).toContain('path: x')
})
