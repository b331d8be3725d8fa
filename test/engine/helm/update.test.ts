import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { ChartServer } from '../../harness/charts/server.ts'
import { offshoot } from '../harness/project.ts'
import { helmProject, ownCache } from './project.ts'

// Each starts several programs.
vi.setConfig({ testTimeout: 60_000 })

const versions = ['1.0.0', '1.0.4', '1.2.0', '2.0.0', '2.1.0-rc.1'].map(version => ({ name: 'shop', version }))
const identity = {
  GIT_AUTHOR_NAME: 'ann',
  GIT_AUTHOR_EMAIL: 'ann@example.org',
  GIT_COMMITTER_NAME: 'ann',
  GIT_COMMITTER_EMAIL: 'ann@example.org',
}
const chart = (url: string, more: readonly string[] = []) => [
  `repo: ${url} # where charts live`,
  'chartName: shop',
  'chartVersion: 1.0.0',
  ...more,
  'releaseName: "{{ args.name }}"',
]

test('newer versions are told of, within the constraints, and nothing is written', async () => {
  await using server = await ChartServer.start(versions)
  await using project = await helmProject(chart(server.url), {
    'near/helm-chart.yml': `helmChart:\n  ${chart(server.url, ['updateConstraints: ~1.0.0']).join('\n  ')}\n`,
    'kept/helm-chart.yml': `helmChart:\n  ${chart(server.url, ['skipUpdate: true']).join('\n  ')}\n`,
    'pre/helm-chart.yml': `helmChart:\n  ${chart(server.url, ['updateConstraints: ">=2-0"']).join('\n  ')}\n`,
  })
  const { code, stderr } = await project.run(['helm-update'], await ownCache())
  expect(code, stderr).toBe(0)
  expect(stderr).toContain('app: Chart shop (old version 1.0.0) has new version 2.0.0 available\n')
  expect(stderr).toContain('near: Chart shop (old version 1.0.0) has new version 1.0.4 available\n')
  expect(stderr).toContain('pre: Chart shop (old version 1.0.0) has new version 2.1.0-rc.1 available\n')
  expect(stderr).toContain('kept: Skipped update to version 2.0.0\n')
  expect(await readFile(join(project.folder, 'app/helm-chart.yaml'), 'utf8')).toContain('chartVersion: 1.0.0\n')
})

test('--upgrade --commit writes the version, pulls the chart and commits both', async () => {
  await using server = await ChartServer.start(versions)
  await using project = await helmProject(chart(server.url))
  const env = { ...(await ownCache()), ...identity }
  await project.run(['helm-pull'], env)
  project.commit('before')
  const { code, stderr } = await project.run(['helm-update', '--upgrade', '--commit'], env)
  expect(code, stderr).toBe(0)
  expect(stderr).toContain('Committed helm chart shop with version 2.0.0')
  const text = await readFile(join(project.folder, 'app/helm-chart.yaml'), 'utf8')
  expect(text).toContain('chartVersion: 2.0.0\n')
  expect(text).toContain('# where charts live')
  const git = (...args: string[]) => execFileSync('git', ['-C', project.folder, ...args], { encoding: 'utf8' })
  expect(git('log', '-1', '--format=%s').trim()).toBe('Updated helm chart shop from version 1.0.0 to version 2.0.0')
  expect(git('status', '--porcelain')).toBe('')
  const folder = `.helm-charts/http_${server.host.split(':')[1]}_127.0.0.1/stable/shop`
  expect(git('ls-files', folder)).toContain(`${folder}/2.0.0/Chart.yaml`)
  expect(existsSync(join(project.folder, folder, '1.0.0'))).toBe(false)
})

test('--commit refuses a changed working tree and charts that were not pulled', async () => {
  await using server = await ChartServer.start(versions)
  await using project = await helmProject(chart(server.url))
  const env = { ...(await ownCache()), ...identity }
  project.commit('before')
  const flags = ['helm-update', '--upgrade', '--commit']
  expect((await project.run(flags, env)).stderr).toContain(
    '.helm-charts is not up-to-date. Please run helm-pull before',
  )
  await project.write({ 'deployment.yaml': 'deployments: []\n' })
  expect((await project.run(flags, env)).stderr).toContain('the git worktree is unmodified')
})

test('a chart of a registry is updated by its tags', async () => {
  await using server = await ChartServer.start(versions, 'ann:pw')
  const lines = [`repo: ${server.oci('shop')}`, 'chartVersion: 1.0.0', 'releaseName: r']
  await using project = await helmProject(lines)
  const flags = [`--registry-creds=${server.host}=ann:pw`, `--registry-plain-http=${server.host}`]
  const { code, stderr } = await project.run(['helm-update', '--upgrade', ...flags], await ownCache())
  expect(code, stderr).toBe(0)
  expect(await readFile(join(project.folder, 'app/helm-chart.yaml'), 'utf8')).toContain('chartVersion: 2.0.0\n')
  expect(
    existsSync(join(project.folder, `.helm-charts/oci_${server.host.split(':')[1]}_127.0.0.1/charts/shop/2.0.0`)),
  ).toBe(true)
})

test('-i asks for every chart and upgrades only what is wanted; no answer is a no', async () => {
  await using server = await ChartServer.start(versions)
  const lines = chart(server.url)
  await using project = await helmProject(lines, {
    'second/helm-chart.yaml': `helmChart:\n  ${lines.join('\n  ')}\n`,
    'third/helm-chart.yaml': `helmChart:\n  ${lines.join('\n  ')}\n`,
  })
  const args = ['helm-update', '--upgrade', '-i', '--project-dir', project.folder]
  const { code, stderr } = await offshoot(args, await ownCache(), 'n\ny\n')
  expect(code, stderr).toBe(0)
  expect(stderr).toContain('app: Do you want to upgrade Chart shop to version 2.0.0?')
  const version = async (item: string) => {
    const text = await readFile(join(project.folder, item, 'helm-chart.yaml'), 'utf8')
    return /chartVersion: (\S+)/.exec(text)?.[1]
  }
  expect(await Promise.all(['app', 'second', 'third'].map(version))).toEqual(['1.0.0', '2.0.0', '1.0.0'])
})
