import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { chartFiles } from '../../harness/charts/chart.ts'
import type { TestProject } from '../harness/project.ts'
import { helmProject, ownCache } from './project.ts'

// Each starts several programs.
vi.setConfig({ testTimeout: 60_000 })

const local = ['path: ../chart', 'releaseName: r']

function chart(more: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(chartFiles('c', '0.1.0', more)).map(([path, text]) => [`chart/${path}`, text]),
  )
}

const manifest = (kind: string, name: string, annotations = '{}', more = '') =>
  `apiVersion: ${kind === 'Job' ? 'batch/v1' : 'v1'}\nkind: ${kind}\nmetadata: {name: ${name}, annotations: ${annotations}}\n${more}`

async function objects(project: TestProject, env: Record<string, string>): Promise<Record<string, unknown>[]> {
  const { code, stdout, stderr } = await project.render(['-t', 't'], env)
  expect(code, stderr).toBe(0)
  return parseAllDocuments(stdout).map(document => document.toJS() as Record<string, unknown>)
}

const names = (all: readonly Record<string, unknown>[]) => all.map(it => (it.metadata as { name: string }).name)

test("kinds in install order, then hooks in Helm's; hooks of helm test are dropped, CRDs come first", async () => {
  const hook = (events: string) => `{helm.sh/hook: "${events}"}`
  await using project = await helmProject(
    local,
    chart({
      'templates/configmap.yaml': manifest('ConfigMap', 'cm'),
      'templates/a-service.yaml': manifest('Service', 'svc'),
      'templates/b-secret.yaml': manifest('Secret', 'sec'),
      'templates/hook.yaml': manifest('Job', 'before', hook('pre-install,pre-upgrade')),
      'templates/tests/try.yaml': manifest('Pod', 'try', hook('test')),
      'templates/tests/both.yaml': manifest('Pod', 'both', hook('post-install, test')),
      'crds/crd.yaml': manifest('ConfigMap', 'crd'),
    }),
  )
  const all = await objects(project, await ownCache())
  expect(names(all)).toEqual(['crd', 'sec', 'cm', 'svc', 'before'])
  expect(all.at(-1)).toMatchObject({ metadata: { annotations: { 'helm.sh/hook': 'pre-install,pre-upgrade' } } })
})

test('skipCRDs, output and a kustomization that names it', async () => {
  const files = {
    ...chart({ 'crds/crd.yaml': manifest('ConfigMap', 'crd') }),
    'app/kustomization.yml': 'resources: [out.yaml]\n',
  }
  await using project = await helmProject([...local, 'skipCRDs: true', 'output: out.yaml'], files)
  const env = await ownCache()
  expect(names(await objects(project, env))).toEqual(['r-c'])
  await project.write({ 'app/kustomization.yml': 'resources: [other.yaml]\n' })
  const { stderr } = await project.render(['-t', 't'], env)
  expect(stderr).toContain('app/kustomization.yaml does not include the rendered helm chart: out.yaml')
})

test('numbers of values are floats, duplicate keys keep the last, nulls of defaults are not there', async () => {
  const template = [
    'apiVersion: v1',
    'kind: ConfigMap',
    'metadata: {name: x}',
    'data:',
    '  big: {{ .Values.big | quote }}',
    '  twice: one',
    '  twice: two',
    '  nested: {{ .Values.nested | toJson | quote }}',
    '',
  ].join('\n')
  const files = chart({
    'templates/configmap.yaml': template,
    'values.yaml': 'big: 1\nnested:\n  gone: null\n  kept: 1\n',
  })
  await using project = await helmProject(local, { ...files, 'app/helm-values.yaml': 'big: 12345678\n' })
  expect(await objects(project, await ownCache())).toMatchObject([
    { data: { big: '1.2345678e+07', twice: 'two', nested: '{"kept":1}' } },
  ])
})

test('a dependency that is not there is left out, as in kluctl', async () => {
  const metadata =
    'apiVersion: v2\nname: c\nversion: 0.1.0\ndependencies:\n- {name: gone, version: 1.0.0, repository: ""}\n'
  await using project = await helmProject(local, chart({ 'Chart.yaml': metadata }))
  expect(names(await objects(project, await ownCache()))).toEqual(['r-c'])
})

test("what a template fails of is told with the item, the release and Helm's own words", async () => {
  await using project = await helmProject(local, chart({ 'templates/bad.yaml': '{{ fail "no such day" }}' }))
  const { code, stderr } = await project.render(['-t', 't'], await ownCache())
  expect(code).toBe(1)
  expect(stderr).toContain('rendering helm chart c for release r has failed')
  expect(stderr).toContain('no such day')
})

test('every mistake of helm-chart.yaml is named with file and line', async () => {
  await using project = await helmProject(['repo: https://example.org', 'path: x', 'chart: y'], {})
  const { code, stderr } = await project.render(['-t', 't'], await ownCache())
  expect(code).toBe(1)
  expect(stderr).toMatch(/app\/helm-chart\.yaml:4:\d+: helmChart\.chart: .*unknown field "chart"/)
  await project.write({ 'app/helm-chart.yaml': 'helmChart:\n  path: ../../outside\n  releaseName: r\n' })
  expect((await project.render(['-t', 't'], await ownCache())).stderr).toContain('is not inside the project')
})

test('a release name is no flag', async () => {
  await using project = await helmProject(['path: ../chart', 'releaseName: "--post-renderer=/bin/sh"'], chart({}))
  const { code, stderr } = await project.render(['-t', 't'], await ownCache())
  expect(code).toBe(1)
  expect(stderr).toContain('invalid release name')
})

test('results are kept by content; those of chance and time are made anew', async () => {
  const env = await ownCache()
  const kept = () => readdirSync(join(env.OFFSHOOT_CACHE_DIR, 'helm')).length
  await using steady = await helmProject(local, chart({}))
  const first = await objects(steady, env)
  expect(kept()).toBe(1)
  expect(await objects(steady, env)).toEqual(first)
  await steady.write({ 'app/helm-values.yaml': 'data: {who: you}\n' })
  expect(await objects(steady, env)).toMatchObject([{ data: { who: 'you' } }])
  await using chance = await helmProject(
    local,
    chart({
      'values.yaml': 'data: {}\n',
      'templates/x.yaml': manifest('Secret', 'x', '{}', 'stringData: {p: "{{ randAlphaNum 20 }}"}\n'),
    }),
  )
  const seen = new Set<string>()
  for (let turn = 0; turn < 4; turn++) seen.add(JSON.stringify(await objects(chance, env)))
  expect(seen.size).toBe(4)
})

test('chance in a file that a template makes a template of is made anew too', async () => {
  const env = await ownCache()
  await using project = await helmProject(
    local,
    chart({
      'files/password.txt': '{{ randAlphaNum 20 }}',
      'templates/x.yaml': manifest(
        'Secret',
        'x',
        '{}',
        `stringData: {p: {{ tpl (.Files.Get "files/password.txt") . }}}
`,
      ),
    }),
  )
  const seen = new Set<string>()
  for (let turn = 0; turn < 3; turn++) seen.add(JSON.stringify(await objects(project, env)))
  expect(seen.size).toBe(3)
})

test('charts that only mention chance are kept once two runs agreed', async () => {
  const env = await ownCache()
  const unused = '{{- if .Values.never }}{{ randAlphaNum 20 }}{{- end }}\n'
  await using project = await helmProject(local, chart({ 'templates/unused.yaml': unused }))
  const first = await objects(project, env)
  expect(await objects(project, env)).toEqual(first)
  // Now it is sure: no Helm is needed.
  expect(await objects(project, env)).toEqual(first)
})
