import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { chartFiles } from '../../harness/charts/chart.ts'
import { startFakeForge } from '../../harness/forge/forge.ts'
import { helmProject, ownCache } from './project.ts'

// Each starts several programs.
vi.setConfig({ testTimeout: 60_000 })

/** A Git host with a repository whose folder `charts/shop` is tagged in these versions. */
async function gitHost(versions: readonly string[]) {
  const host = await startFakeForge()
  const below = (version: string) =>
    Object.fromEntries(Object.entries(chartFiles('shop', version)).map(([path, text]) => [`charts/shop/${path}`, text]))
  const repository = await host.createRepository('acme/charts', { files: below('0.0.0') })
  for (const version of versions) {
    const sha = await repository.push('main', below(version))
    await repository.git.updateRef(`refs/tags/v${version}`, sha)
  }
  return { host, repository, below, [Symbol.asyncDispose]: () => host.close() }
}

const chart = (url: string, ref: string, more: readonly string[] = []) => [
  `git: {url: "${url}", ref: {${ref}}, subDir: charts/shop}`,
  ...more,
  'releaseName: r',
]

test('a chart of a tag is pulled, rendered and updated to the newest tag', async () => {
  await using scene = await gitHost(['1.0.0', '1.1.0'])
  const { url } = scene.repository
  await using project = await helmProject(chart(url, 'tag: v1.0.0'))
  const env = await ownCache()
  expect(await project.run(['helm-pull'], env)).toMatchObject({ code: 0 })
  const { host, port, pathname } = new URL(url)
  const folder = `.helm-charts/git_http_${port}_${host.split(':')[0]}${pathname.replace('.git', '')}/charts/shop`
  const info = readFileSync(join(project.folder, folder, 'refs/tags/v1.0.0/.git-info.yaml'), 'utf8')
  expect(info).toMatch(/^checkedOutCommit: [0-9a-f]{40}\ncheckedOutRef:\n {2}tag: v1\.0\.0\n$/)
  expect((await project.render(['-t', 't'], env)).stdout).toContain('version: 1.0.0\n')

  const updated = await project.run(['helm-update', '--upgrade'], env)
  expect(updated.code, updated.stderr).toBe(0)
  expect(updated.stderr).toContain('(old version refs/tags/v1.0.0) has new version refs/tags/v1.1.0 available')
  expect(readFileSync(join(project.folder, 'app/helm-chart.yaml'), 'utf8')).toContain('ref: {tag: v1.1.0}')
  expect((await project.render(['-t', 't'], env)).stdout).toContain('version: 1.1.0\n')
})

test('a branch that moved asks for helm-pull; on demand its newest commit is used', async () => {
  await using scene = await gitHost([])
  await using pulled = await helmProject(chart(scene.repository.url, 'branch: main'))
  await using onDemand = await helmProject(chart(scene.repository.url, 'branch: main', ['skipPrePull: true']))
  const env = await ownCache()
  await pulled.run(['helm-pull'], env)
  expect((await pulled.render(['-t', 't'], env)).stdout).toContain('version: 0.0.0\n')
  expect((await onDemand.render(['-t', 't'], env)).stdout).toContain('version: 0.0.0\n')
  await scene.repository.push('main', scene.below('5.0.0'))
  const stale = await pulled.render(['-t', 't'], env)
  expect(stale.stderr).toContain(
    "pre-pulled Helm Chart shop need to be pulled (call 'offshoot helm-pull'). Desired version is refs/heads/main",
  )
  expect((await onDemand.render(['-t', 't'], env)).stdout).toContain('version: 5.0.0\n')
  // A branch has no newer version.
  expect(await pulled.run(['helm-update'], env)).toMatchObject({ code: 0 })
})

test('a folder without a chart is named', async () => {
  await using scene = await gitHost([])
  const lines = [`git: {url: "${scene.repository.url}", ref: {branch: main}, subDir: charts}`, 'releaseName: r']
  await using project = await helmProject(lines)
  const { stderr } = await project.run(['helm-pull'], await ownCache())
  expect(stderr).toContain('no Helm chart in charts of http')
})
