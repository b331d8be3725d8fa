import { mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { directAccess } from '../../../src/engine/vars/remote/direct.ts'
import { parallel } from '../../../src/util/parallel.ts'
import { testHost } from '../../harness/engine/host.ts'
import { serve } from '../../harness/engine/http-server.ts'
import {
  accessOf,
  remains,
  renderDeploymentInWorker,
  renderInWorker,
  strictPolicy,
  untrustedProject,
  useOwnTempFolder,
} from '../../harness/engine/untrusted.ts'

// Every render starts a process, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000 })

useOwnTempFolder()

const configMap = (value: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cm}\ndata: {a: "${value}"}\n`
const folders: string[] = []

async function project(files: Record<string, string>): Promise<string> {
  const root = await untrustedProject(files)
  folders.push(root)
  return root
}

/** A folder beside every project, with a file that no project may see. */
async function secretFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'offshoot-secret-'))
  folders.push(folder)
  await writeFile(join(folder, 'secret.yaml'), 'password: s3cret\n')
  return join(folder, 'secret.yaml')
}

afterEach(async () => {
  vi.unstubAllEnvs()
  await Promise.all(folders.splice(0).map(folder => rm(folder, { recursive: true, force: true })))
  expect(await remains()).toEqual([])
})

test('a project renders in the worker as it does outside, with real Kustomize and Helm', async () => {
  const root = await project({
    'deployment.yaml': 'vars: [{values: {x: 1}}]\ndeployments: [{path: cm}, {path: kust}, {path: chart}]\n',
    'cm/cm.yaml': configMap('{{ x }}'),
    'kust/kustomization.yaml': 'resources: [a.yaml]\nnamePrefix: pre-\n',
    'kust/a.yaml': configMap('{{ target.name }}'),
    'chart/helm-chart.yaml': 'helmChart: {path: own, releaseName: r, namespace: n, output: out.yaml}\n',
    'chart/helm-values.yaml': 'v: {{ x + 1 }}\n',
    'chart/own/Chart.yaml': 'apiVersion: v2\nname: own\nversion: 1.0.0\n',
    'chart/own/templates/cm.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: chart}\ndata: {v: "{{ .Values.v }}"}\n',
    'chart/.templateignore': 'own/\n',
  })
  const objects = await renderInWorker(root)
  expect(objects).toMatchObject([
    { metadata: { name: 'cm' }, data: { a: '1' } },
    { metadata: { name: 'pre-cm' }, data: { a: 'review' } },
    { metadata: { name: 'chart' }, data: { v: '2' } },
  ])
  // Neither is anything written into the checkout.
  expect((await readdir(root)).sort()).toEqual(['.kluctl.yaml', 'chart', 'cm', 'deployment.yaml', 'kust'])
})

test('mistakes of the project come back in its own words', async () => {
  const root = await project({ 'cm/cm.yaml': configMap('{{ nothing.there }}') })
  await expect(renderInWorker(root)).rejects.toThrow(/cm\.yaml[\s\S]*'nothing' is undefined/)
})

test('links out of the checkout are refused before anything runs, whatever they are for', async () => {
  const secret = await secretFile()
  for (const name of ['cm/link.yaml', 'vars.yaml', 'linked', 'unused']) {
    const root = await project({})
    await symlink(name === 'linked' ? join(secret, '..') : secret, join(root, name))
    await expect(renderInWorker(root)).rejects.toThrow(`no links out of it and no devices: ${name}`)
  }
})

test('links inside the checkout work', async () => {
  const root = await project({
    'deployment.yaml': 'vars: [{file: link.yaml}]\ndeployments: [{path: cm}]\n',
    'real.yaml': 'v: 7',
    'cm/cm.yaml': configMap('{{ v }}'),
  })
  await symlink('real.yaml', join(root, 'link.yaml'))
  expect(await renderInWorker(root)).toMatchObject([{ data: { a: '7' } }])
})

/** On one line, which is a configuration of Kustomize's too. */
const generator = (file: string) =>
  `{apiVersion: builtin, kind: SecretGenerator, metadata: {name: s}, files: [${file}]}`

test('no path leads to a file outside: includes, vars, items, projects, Helm values, Kustomize resources', async () => {
  const secret = await secretFile()
  const relative = `../${secret.split('/').at(-2)}/secret.yaml`
  const attempts: Record<string, string>[] = [
    { 'cm/cm.yaml': configMap(`{% include "../${relative}" %}`) },
    { 'cm/cm.yaml': configMap(`{% include "${secret}" %}`) },
    { 'cm/cm.yaml': configMap(`{{ load_template("${secret}") }}`) },
    {
      'deployment.yaml': `vars: [{file: ${relative}}]\ndeployments: [{path: cm}]\n`,
      'cm/cm.yaml': configMap('{{ password }}'),
    },
    {
      'deployment.yaml': `vars: [{file: ${secret}}]\ndeployments: [{path: cm}]\n`,
      'cm/cm.yaml': configMap('{{ password }}'),
    },
    { 'deployment.yaml': `deployments: [{path: ${relative.replace('/secret.yaml', '')}}]\n` },
    { 'deployment.yaml': `deployments: [{include: ${relative.replace('/secret.yaml', '')}}]\n` },
    { 'cm/kustomization.yaml': `resources: [../${relative}]\n` },
    { 'cm/kustomization.yaml': `resources: [${secret}]\n` },
    { 'cm/kustomization.yaml': `secretGenerator: [{name: s, files: [${secret}]}]\n` },
    { 'cm/kustomization.yaml': `SecretGenerator: [{name: s, Files: [${secret}]}]\n` },
    { 'cm/kustomization.yaml': `\u017fecretGenerator: [{name: s, file\u017f: [${secret}]}]\n` },
    { 'cm/kustomization.yaml': `Resources: [${secret}]\n` },
    { 'cm/kustomization.yaml': 'generators: [g.yaml]\n', 'cm/g.yaml': generator(secret) },
    { 'cm/kustomization.yaml': `generators: ['${generator(secret)}']\n` },
    { 'cm/kustomization.yaml': `generators:\n- |\n  ${generator(secret)}\n` },
    {
      'cm/kustomization.yaml': 'generators: [gen]\n',
      'cm/gen/kustomization.yaml': 'resources: [g.yaml]\n',
      'cm/gen/g.yaml': generator(secret),
    },
    {
      'cm/kustomization.yaml': 'resources: [nested]\n',
      'cm/nested/kustomization.yaml': `!!map {generators: ['${generator(secret)}']}\n`,
    },
    {
      'cm/helm-chart.yaml': `helmChart: {path: ${secret.replace('/secret.yaml', '')}, releaseName: r, output: o.yaml}\n`,
    },
    {
      '.kluctl.yaml': `targets: [{name: review, args: {a: "{{ load_template('${secret}') }}"}}]\n`,
      'cm/cm.yaml': configMap('{{ args.a }}'),
    },
  ]
  const outcomes = await parallel(attempts, 3, async files =>
    renderInWorker(await project(files)).then(JSON.stringify, String),
  )
  for (const [index, outcome] of outcomes.entries()) {
    expect(outcome, JSON.stringify(attempts[index])).not.toContain('s3cret')
    expect(outcome, JSON.stringify(attempts[index])).toMatch(/Error/)
  }
})

test('a kustomization has files of other folders, or generators, as it likes; both at once are refused', async () => {
  const inside = `{apiVersion: builtin, kind: ConfigMapGenerator, metadata: {name: g}, literals: [a=1]}`
  const shared = {
    'deployment.yaml': 'deployments: [{path: shared}, {path: cm}]\n',
    'shared/x.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n',
  }
  const build = async (kustomization: string) =>
    renderInWorker(await project({ ...shared, 'cm/kustomization.yaml': kustomization, 'cm/g.yaml': inside }))
  expect(await build('resources: [cm.yaml, ../shared/x.yaml]\n')).toHaveLength(3)
  expect(await build('resources: [cm.yaml]\ngenerators: [g.yaml]\n')).toHaveLength(3)
  await expect(build('resources: [../shared/x.yaml]\ngenerators: [g.yaml]\n')).rejects.toThrow(
    'may not stand beside files from outside',
  )
  for (const entry of ['|\n  {unclosed\n', '"{unclosed"\n']) {
    await expect(build(`resources: [cm.yaml]\ngenerators:\n- ${entry}`)).rejects.toThrow('cannot be read')
  }
})

test('the environment of this process is not seen', async () => {
  vi.stubEnv('OFFSHOOT_TEST_SECRET', 's3cret')
  const root = await project({
    'deployment.yaml':
      'vars: [{systemEnvVars: {v: "OFFSHOOT_TEST_SECRET:none", home: "HOME:none"}}]\ndeployments: [{path: cm}]\n',
    'cm/cm.yaml': configMap('{{ v }} {{ home }}'),
  })
  expect(await renderInWorker(root)).toMatchObject([{ data: { a: 'none none' } }])
})

test('sources that reach the network are refused, and so are URLs that are not allowed', async () => {
  await using server = await serve(() => 'v: 1')
  const root = await project({
    'deployment.yaml': `vars: [{http: {url: "${server.url}"}}]\ndeployments: [{path: cm}]\n`,
    'cm/cm.yaml': configMap('{{ v }}'),
  })
  await expect(renderInWorker(root)).rejects.toThrow('variables from http are not allowed here')
  const http = { ...strictPolicy, sources: new Set(['http'] as const) }
  await expect(renderInWorker(root, { access: accessOf({ policy: http }) })).rejects.toThrow(
    `${server.url} is not allowed here`,
  )
  expect(server.received).toEqual([])
  const policy = { ...http, allowsUrl: (url: string) => url.startsWith(server.url) }
  const remote = directAccess(testHost({ policy }))
  expect(await renderInWorker(root, { access: accessOf({ policy, remote }) })).toMatchObject([{ data: { a: '1' } }])
  expect(server.received).toHaveLength(1)
})

test('Kustomize loads nothing from the network', async () => {
  await using server = await serve(() => configMap('remote'))
  const root = await project({ 'cm/kustomization.yaml': `resources: ["${server.url}/cm.yaml"]\n` })
  const policy = { ...strictPolicy, allowsUrl: () => true }
  await expect(renderInWorker(root, { access: accessOf({ policy }) })).rejects.toThrow('may not be asked for')
  expect(server.received).toEqual([])
})

test('a Git include comes through the parent, if the policy lets it, and may hold no links out either', async () => {
  const other = await project({ 'cm/cm.yaml': configMap('other') })
  const root = await project({ 'deployment.yaml': 'deployments: [{git: {url: "https://git.example.com/a/b"}}]\n' })
  const git = {
    checkout: () => Promise.resolve({ folder: other, revision: 'r' }),
    listRefs: () => Promise.reject(new Error('unused')),
  }
  await expect(renderInWorker(root, { access: accessOf({ git }) })).rejects.toThrow('is not allowed here')
  const access = accessOf({ git, policy: { ...strictPolicy, allowsUrl: () => true } })
  expect(await renderInWorker(root, { access })).toMatchObject([{ data: { a: 'other' } }])
  await symlink('/etc', join(other, 'out'))
  await expect(renderInWorker(root, { access })).rejects.toThrow('no links out of it')
})

test('encrypted files need keys that the parent has', async () => {
  const { readFile } = await import('node:fs/promises')
  const encrypted = await readFile(join(import.meta.dirname, '../../fixtures/sops/all.yaml'), 'utf8')
  const root = await project({
    'vars.yaml': encrypted,
    'deployment.yaml': 'vars: [{file: vars.yaml}]\ndeployments: [{path: cm}]\n',
    'cm/cm.yaml': configMap('{{ app.port }}'),
  })
  await expect(renderInWorker(root)).rejects.toThrow('this run has no keys')
  const decrypt = (_: Uint8Array, path: string) =>
    path.endsWith('vars.yaml') ? Buffer.from('app: {port: 5}') : undefined
  const sops = { decrypt: (content: Uint8Array, path: string) => Promise.resolve(decrypt(content, path)) }
  expect(await renderInWorker(root, { access: accessOf({ sops }) })).toMatchObject([{ data: { a: '5' } }])
})

test.each([
  [
    'an endless loop',
    configMap(
      '{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}{% endfor %}{% endfor %}{% endfor %}',
    ),
  ],
  ['a template that includes itself', configMap('{% include "cm.yaml" %}')],
  ['a huge text', configMap('{{ "x" * 999999999999 }}')],
  [
    'a text that doubles',
    configMap(
      '{% set ns = namespace(t="x" * 1000) %}{% for i in range(60) %}{% set ns.t = ns.t ~ ns.t %}{% endfor %}{{ ns.t }}',
    ),
  ],
  [
    'aliases upon aliases',
    `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
      .split('')
      .map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[index]}`).join()}]\n`)
      .join('')}`,
  ],
])(
  '%s ends with an error in bounded time',
  async (_, content) => {
    const root = await project({ 'cm/cm.yaml': content })
    await expect(renderInWorker(root, { limits: { deadline: 15_000, heap: 256 } })).rejects.toThrow()
  },
  60_000,
)

test('projects that include each other end, too', async () => {
  const root = await project({
    'deployment.yaml': 'deployments: [{include: sub}]\n',
    'sub/deployment.yaml': 'deployments: [{include: ../}, {include: ../}]\n',
  })
  await expect(renderInWorker(root, { limits: { deadline: 15_000 } })).rejects.toThrow()
})

test('results have an end', async () => {
  const root = await project({ 'cm/cm.yaml': configMap('{{ "x" * 200000 }}') })
  await expect(renderInWorker(root, { limits: { output: 100_000 } })).rejects.toThrow('more than 100000')
})

test('killing it leaves no process and no file, in the middle of a template or of a program', async () => {
  const busy = configMap('{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}')
  const root = await project({ 'cm/cm.yaml': busy })
  const abort = new AbortController()
  const running = renderInWorker(root, {}, abort.signal)
  running.catch(() => undefined)
  await expect
    .poll(async () => (await remains()).some(line => line.includes('--permission')), { timeout: 15_000 })
    .toBe(true)
  abort.abort(new Error('no longer wanted'))
  await expect(running).rejects.toThrow('no longer wanted')
  expect(await remains()).toEqual([])
  await expect(renderInWorker(root, { limits: { deadline: 1_500 } })).rejects.toThrow('did not end within 1.5 s')
})

test('what came from sensitive variables comes back with the objects, to be hidden, and is in nothing that is told', async () => {
  const vars = 'vars: [{values: {db: {password: correct horse}}, sensitive: true}, {values: {host: plain host}}]\n'
  const files = {
    'deployment.yaml': `${vars}deployments: [{path: cm}]\n`,
    'cm/cm.yaml': configMap('{{ db.password }}'),
  }
  const { sensitive, items, told } = await renderDeploymentInWorker(await project(files))
  expect(items[0]?.objects).toMatchObject([{ data: { a: 'correct horse' } }])
  expect([sensitive.isIn('of correct horse'), sensitive.isIn('of plain host')]).toEqual([true, false])
  expect(told).toMatchObject({ target: { name: 'review' }, deployment: { deployments: [{ path: 'cm' }] } })

  const broken = { ...files, 'cm/cm.yaml': configMap('{{ load_template(db.password) }}') }
  const failure = await renderDeploymentInWorker(await project(broken)).catch(String)
  expect(failure).toMatch(/cm\.yaml[\s\S]*\*\*\*\*\*/)
  expect(failure).not.toContain('correct horse')
})

test('a Secret that cannot be read as YAML is in no message', async () => {
  const object = {
    metadata: { name: 's', namespace: 'team' },
    data: { key: Buffer.from('password: *hunter2hunter2').toString('base64') },
  }
  const policy = { ...strictPolicy, sources: new Set(['clusterSecret'] as const) }
  const access = accessOf({ policy, remote: { ...accessOf().remote, objects: () => Promise.resolve([object]) } })
  const vars = 'vars: [{clusterSecret: {name: s, namespace: team, key: key}}]\ndeployments: [{path: cm}]\n'
  const failure = await renderInWorker(await project({ 'deployment.yaml': vars }), { access }).catch(String)
  expect(failure).toContain('team/Secret/s and key key')
  expect(failure).not.toContain('hunter2')
})
