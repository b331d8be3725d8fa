// Flags that open what a project takes from elsewhere: a deployment gets it with them, and not without.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest'
import { configMap } from '../../engine/harness/project.ts'
import { tools } from '../../engine/kustomize/rendered.ts'
import { localRepository } from '../../git/harness.ts'
import { ChartServer } from '../../harness/charts/server.ts'
import { adminClient } from '../../harness/cluster.ts'
import { selfSigned } from '../../harness/engine/certificate.ts'
import { startRegistry, tarball } from '../../harness/engine/registry.ts'
import { TargetStory } from '../../harness/engine/target-story.ts'
import { startFakeForge } from '../../harness/forge/forge.ts'
import { tlsFront } from '../../harness/forge/tls-front.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'offshoot-sources-'))
})
afterEach(() => rm(folder, { recursive: true }))
afterAll(() => adminClient().close())

/** Files of an include with one ConfigMap. */
const included = (namespace: string) => ({
  'deployment.yaml': 'deployments:\n- path: item\n',
  'item/map.yaml': configMap('map', {}, `  namespace: ${namespace}\n`),
})

/** Deploys with a home and a cache that nobody else has. */
function deploy(story: TargetStory, flags: string[], env: Record<string, string> = {}) {
  const own = { HOME: folder, OFFSHOOT_CACHE_DIR: join(folder, 'cache'), ...env }
  return story.run(['deploy', '--yes', '--write-command-result=false', ...flags], own)
}

/** Every flag is needed: without one of them nothing is deployed, with all of them everything is. */
async function expectAllNeeded(story: TargetStory, flags: string[], env: Record<string, string> = {}): Promise<void> {
  for (const left of flags) {
    const others = flags.filter(flag => flag !== left)
    expect((await deploy(story, others, env)).code, `without ${left}`).toBe(1)
  }
  const { code, stderr } = await deploy(story, flags, env)
  expect(code, stderr).toBe(0)
}

it('--git-username, --git-password and --git-ca-file open a repository over HTTPS', async () => {
  await using story = await TargetStory.of('git')
  const forge = await startFakeForge()
  try {
    await using front = await tlsFront(forge.origin)
    await forge.createRepository('acme/shop', { files: included(story.namespace), private: true })
    await story.write({}, `- git: https://${front.host}/acme/shop\n`)
    await writeFile(join(folder, 'ca.pem'), front.ca)
    const flag = (name: string, value: string) => `--git-${name}=${front.host}/acme/*=${value}`
    const opening = [flag('password', 'fake-token'), flag('ca-file', join(folder, 'ca.pem'))]
    await expectAllNeeded(story, opening)
    expect(await story.maps()).toEqual(['map'])
    expect(front.users).not.toContain('ann:fake-token')
    expect(await deploy(story, [...opening, flag('username', 'ann')])).toMatchObject({ code: 0 })
    expect(front.users).toContain('ann:fake-token')
  } finally {
    await forge.close()
  }
})

it('--git-ssh-key-file and --git-ssh-known-hosts-file are what SSH is given', async () => {
  await using story = await TargetStory.of('ssh')
  const files = included(story.namespace)
  const { path } = await localRepository(folder, async (where, git) => {
    await mkdir(join(where, 'item'))
    for (const [name, text] of Object.entries(files)) await writeFile(join(where, name), text)
    await git('add', '--all')
    await git('commit', '-q', '-m', 'x')
  })
  const script = `#!/bin/sh
for argument in "$@"; do
  case "$argument" in
    IdentityFile=*) cp "\${argument#*=}" ${folder}/seen-key ;;
    UserKnownHostsFile=*) cp "\${argument#*=}" ${folder}/seen-hosts ;;
  esac
  command="$argument"
done
exec sh -c "$command"
`
  await writeFile(join(folder, 'ssh'), script, { mode: 0o755 })
  await writeFile(join(folder, 'key'), 'the private key\n')
  await writeFile(join(folder, 'hosts'), 'git.example.com ssh-ed25519 AAAA\n')
  await story.write({}, `- git: ssh://git@git.example.com${path}\n`)
  const seen = (name: string) => readFile(join(folder, name), 'utf8').catch(() => undefined)
  const before = process.env.PATH
  process.env.PATH = `${folder}:${before}`
  try {
    await deploy(story, [])
    expect([await seen('seen-key'), (await seen('seen-hosts'))?.includes('AAAA') ?? false]).toEqual([undefined, false])
    const flags = ['key', 'known-hosts'].map(
      name => `--git-ssh-${name}-file=git.example.com=${join(folder, name.replace('known-', ''))}`,
    )
    const { code, stderr } = await deploy(story, flags)
    expect(code, stderr).toBe(0)
    expect([await seen('seen-key'), await seen('seen-hosts')]).toEqual([
      'the private key\n',
      'git.example.com ssh-ed25519 AAAA\n',
    ])
    expect(await story.maps()).toEqual(['map'])
  } finally {
    process.env.PATH = before
  }
})

it.each([
  ['basic', ['username', 'me', 'password', 'pass']],
  ['basic', ['creds', 'me:pass']],
  ['token', ['identity-token', 'id']],
  ['token', ['token', 't']],
] as const)('a registry with %s authentication is opened by --registry-… %j', async (auth, given) => {
  await using story = await TargetStory.of('registry')
  await using registry = await startRegistry(auth)
  registry.push('team/app', 'latest', [await tarball(Object.entries(included(story.namespace)))])
  await story.write({}, `- oci: {url: "oci://${registry.host}/team/app"}\n`)
  const flags: string[] = []
  for (let at = 0; at < given.length; at += 2) {
    flags.push(`--registry-${given[at]}=${registry.host}/team/*=${given[at + 1]}`)
  }
  await expectAllNeeded(story, flags)
  expect(await story.maps()).toEqual(['map'])
})

const shop = [{ name: 'shop', version: '1.0.0' }]

/** A chart of a server that is pulled when it is rendered, and the programs that render it. */
async function chartStory(server: ChartServer, family: 'helm' | 'registry') {
  const story = await TargetStory.of('chart')
  const where = family === 'helm' ? `repo: ${server.url}, chartName: shop` : `repo: "${server.oci('shop')}"`
  const chart = `${where}, chartVersion: 1.0.0, skipPrePull: true, releaseName: r, namespace: ${story.namespace}`
  await story.write({ 'c/helm-chart.yaml': `helmChart: {${chart}}\n` }, '- path: c\n')
  const [helm, kustomize] = [await tools.get('helm'), await tools.get('kustomize')]
  const env = { OFFSHOOT_HELM_BINARY: helm.path, OFFSHOOT_KUSTOMIZE_BINARY: kustomize.path }
  const place = `${server.host}/${family === 'helm' ? 'stable' : 'charts/*'}`
  const flag = (name: string, value?: string) => `--${family}-${name}=${place}${value === undefined ? '' : `=${value}`}`
  return { story, env, flag, [Symbol.asyncDispose]: () => story[Symbol.asyncDispose]() }
}

it.each([
  { username: 'ann', password: 'pw' },
  { creds: 'ann:pw' },
])('a chart repository is opened by --helm-… %j', async given => {
  await using server = await ChartServer.start(shop, 'ann:pw')
  await using chart = await chartStory(server, 'helm')
  const flags = Object.entries(given).map(([name, value]) => chart.flag(name, value))
  await expectAllNeeded(chart.story, flags, chart.env)
  expect(server.requests.at(-1)).toContain(' ann')
})

it.each(['helm', 'registry'] as const)('--%s-… name an authority and a certificate, or do without', async family => {
  const [server, client] = await Promise.all([selfSigned('127.0.0.1'), selfSigned('client')])
  const file = async (name: string, content: string) => {
    await writeFile(join(folder, name), content)
    return join(folder, name)
  }
  const asking = { ...server, ca: client.cert, requestCert: true, rejectUnauthorized: true }
  await using strict = await ChartServer.start(shop, undefined, asking)
  await using opened = await chartStory(strict, family)
  const files = [
    opened.flag('ca-file', await file('ca.pem', server.cert)),
    opened.flag('cert-file', await file('cert.pem', client.cert)),
    opened.flag('key-file', await file('key.pem', client.key)),
  ]
  await expectAllNeeded(opened.story, files, opened.env)
  await using unknown = await ChartServer.start(shop, undefined, server)
  await using trusted = await chartStory(unknown, family)
  await expectAllNeeded(trusted.story, [trusted.flag('insecure-skip-tls-verify')], trusted.env)
})
