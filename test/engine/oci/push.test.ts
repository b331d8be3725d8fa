import { execFileSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { parse } from 'yaml'
import { run } from '../../../src/cli/program.ts'
import { OciArtifacts, pushArtifact, type RegistryCredential } from '../../../src/engine/oci/index.ts'
import { packFolder } from '../../../src/engine/oci/pack.ts'
import { systemClock } from '../../../src/util/clock.ts'
import { selfSigned } from '../../harness/engine/certificate.ts'
import { startRegistry } from '../../harness/engine/registry.ts'
import { recordingIo } from '../../harness/installation.ts'

let folder: string
const { signal } = new AbortController()

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'offshoot-push-test-'))
})

afterEach(async () => {
  await rm(folder, { recursive: true })
})

/** Writes files below the test's folder. */
async function write(files: Record<string, string>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), content)
  }
}

const options = (credential: RegistryCredential = {}) => ({
  credential: () => credential,
  configFiles: [],
  environment: {},
  policy: { allowsUrl: () => true },
  cacheFolder: join(folder, 'cache'),
  clock: { ...systemClock, sleep: () => Promise.resolve() },
})

async function push(url: string, credential?: RegistryCredential, annotations = {}) {
  return await pushArtifact(options(credential), url, { folder: join(folder, 'app'), annotations }, signal)
}

/** The files of an artifact in the registry, but those of the repository. */
async function pulled(url: string, ref = {}, credential?: RegistryCredential): Promise<string[]> {
  await using oci = new OciArtifacts(options(credential))
  const { folder: tree } = await oci.pull(url, ref, signal)
  const found = await readdir(tree, { recursive: true, withFileTypes: true })
  const files = found.filter(one => one.isFile()).map(one => relative(tree, join(one.parentPath, one.name)))
  return files.filter(name => !name.endsWith('.gitignore')).sort()
}

async function offshoot(args: string[], env: Record<string, string> = {}) {
  const home = { HOME: folder, PATH: process.env.PATH ?? '', OFFSHOOT_CACHE_DIR: join(folder, 'cache'), ...env }
  const { io, written } = recordingIo(home)
  return { code: await run(args, io), ...written }
}

test('what was pushed is pulled, by tag and by digest, with its modes', async () => {
  await using registry = await startRegistry()
  await write({ 'app/deployment.yaml': 'deployments: []', 'app/sub/run.sh': '#!', 'app/empty': '' })
  await mkdir(join(folder, 'app/none'))
  await chmod(join(folder, 'app/sub/run.sh'), 0o755)
  const url = `oci://${registry.host}/team/app`
  const { digest, tag, repository, url: exact } = await push(`${url}:v1`)
  expect({ tag, repository, exact }).toEqual({
    tag: 'v1',
    repository: `${registry.host}/team/app`,
    exact: `${url}@${digest}`,
  })
  await using oci = new OciArtifacts(options())
  for (const ref of [{ tag: 'v1' }, { digest }]) {
    const { folder: found, revision } = await oci.pull(url, ref, signal)
    expect(revision).toBe(digest)
    expect((await readdir(found, { recursive: true })).sort()).toEqual([
      'deployment.yaml',
      'empty',
      'none',
      'sub',
      'sub/run.sh',
    ])
    expect(await readFile(join(found, 'deployment.yaml'), 'utf8')).toBe('deployments: []')
    expect((await stat(join(found, 'sub/run.sh'))).mode & 0o777).toBe(0o755)
  }
})

test('the artifact has the form that kluctl and Flux read', async () => {
  await using registry = await startRegistry()
  await write({ 'app/a': '1' })
  await push(`oci://${registry.host}/app`, {}, { 'org.opencontainers.image.created': '2020-01-02T03:04:05Z', x: 'y' })
  const get = (path: string) => fetch(`${registry.server.url}/v2/app/${path}`).then(it => it.json() as Promise<never>)
  const manifest = (await get('manifests/latest')) as { config: { digest: string } }
  expect(manifest).toMatchObject({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.cncf.flux.config.v1+json' },
    layers: [{ mediaType: 'application/vnd.cncf.flux.content.v1.tar+gzip' }],
    annotations: { 'org.opencontainers.image.created': '2020-01-02T03:04:05Z', x: 'y' },
  })
  const { diffId } = await packFolder(join(folder, 'app'), signal)
  expect(await get(`blobs/${manifest.config.digest}`)).toMatchObject({
    created: '2020-01-02T03:04:05Z',
    rootfs: { type: 'layers', diff_ids: [diffId] },
  })
  await expect(
    push(`oci://${registry.host}/app`, {}, { 'org.opencontainers.image.created': 'yesterday' }),
  ).rejects.toThrow('expected a time')
})

test('the same files are uploaded once, whenever and from wherever they are pushed', async () => {
  await using registry = await startRegistry()
  await write({ 'app/b': '2', 'app/a/c': '1' })
  await push(`oci://${registry.host}/app`)
  const uploads = () => registry.server.received.filter(({ method, path }) => method === 'PUT' && /uploads/.test(path))
  const before = uploads().length
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 })
  onTestFinished(() => void vi.useRealTimers())
  await rm(join(folder, 'app'), { recursive: true })
  await write({ 'app/a/c': '1', 'app/b': '2' })
  const config = await push(`oci://${registry.host}/app:again`)
  expect(config.tag).toBe('again')
  expect(
    uploads()
      .slice(before)
      .every(({ bytes }) => bytes[0] !== 0x1f),
  ).toBe(true)
})

test.each([
  ['cm/1.yml', ['cm/2.yml', 'sub/cm/1.yml', 'sub/logs/x']],
  ['cm/*\n!cm/1.yml', ['cm/1.yml', 'sub/cm/1.yml', 'sub/logs/x']],
  ['cm\n!cm/1.yml', ['sub/logs/x']],
  ['/cm/', ['sub/cm/1.yml', 'sub/logs/x']],
  ['logs/\n# cm\n!sub/logs/x', ['cm/1.yml', 'cm/2.yml', 'sub/cm/1.yml']],
])('with %j in .gitignore, these are pushed', async (ignore, files) => {
  await using registry = await startRegistry()
  await write({ 'app/cm/1.yml': '', 'app/cm/2.yml': '', 'app/sub/cm/1.yml': '', 'app/sub/logs/x': '' })
  await write({
    'app/.gitignore': ignore,
    'app/.git/config': '',
    'app/sub/cm/secret': '',
    'app/sub/.gitignore': 'secret',
  })
  await push(`oci://${registry.host}/app`)
  expect(await pulled(`oci://${registry.host}/app`)).toEqual(files)
})

test.each([
  ['basic', { username: 'me', password: 'pass' }],
  ['token', { username: 'me', password: 'pass' }],
  ['token', { identityToken: 'id' }],
  ['token', { token: 't' }],
] as const)('a private registry with %s authentication takes what %j pushes', async (auth, credential) => {
  await using registry = await startRegistry(auth)
  await write({ 'app/a': '1' })
  const url = `oci://${registry.host}/app`
  await push(url, credential)
  const tokens = registry.server.received.filter(({ path }) => path.startsWith('/token'))
  expect(await pulled(url, {}, credential)).toEqual(['a'])
  for (const { path, body } of tokens) expect(decodeURIComponent(path + body)).toContain('repository:app:pull,push')
  const failure = await push(url, { username: 'me', password: 'wr0ng' }).catch(String)
  expect(failure).toContain('401 Unauthorized')
  expect(failure).not.toContain('wr0ng')
})

test('an upload that broke begins anew; one that is refused is told in the words of the registry', async () => {
  await using registry = await startRegistry()
  await write({ 'app/a': '1' })
  let broken = 1
  registry.intercept = ({ method }) => (method === 'PUT' && broken-- > 0 ? { status: 502 } : null)
  await push(`oci://${registry.host}/app`)
  expect(await pulled(`oci://${registry.host}/app`)).toEqual(['a'])
  const denied = JSON.stringify({ errors: [{ code: 'DENIED', message: 'read only' }] })
  registry.intercept = ({ method }) => (method === 'PUT' ? { status: 403, body: denied } : null)
  await expect(push(`oci://${registry.host}/app`)).rejects.toThrow('HTTP 403 Forbidden: DENIED: read only')
})

test('an upload elsewhere does not get the credentials', async () => {
  await using registry = await startRegistry('basic')
  await using storage = await startRegistry()
  await write({ 'app/a': '1' })
  registry.intercept = ({ method, path, headers }) =>
    method === 'POST' && headers.authorization !== undefined
      ? { status: 202, headers: { location: `${storage.server.url}${path}session?state=1` } }
      : null
  await push(`oci://${registry.host}/app`, { username: 'me', password: 'pass' })
  expect(storage.server.received.map(({ method, headers }) => [method, headers.authorization])).toEqual([
    ['PUT', undefined],
    ['PUT', undefined],
  ])
})

test.each([
  [`oci://host/app@sha256:${'a'.repeat(64)}`, 'a digest cannot be pushed to'],
  ['http://host/app', 'expected oci://host/repository'],
])('%s is refused', async (url, message) => {
  await expect(push(url)).rejects.toThrow(message)
})

test('archives have an end', async () => {
  await write({ 'app/a': '12345', 'app/b': '12345' })
  await expect(packFolder(folder, signal, { maxBytes: 8, maxEntries: 10 })).rejects.toThrow('more than 8 bytes')
  await expect(packFolder(folder, signal, { maxBytes: 100, maxEntries: 2 })).rejects.toThrow('more than 2 files')
})

test('the command pushes a working tree and tells where it is; another project includes it', async () => {
  await using registry = await startRegistry('basic')
  await write({
    'app/deployment.yaml': 'deployments: [{path: cm}]',
    'app/cm/cm.yaml': '{apiVersion: v1, kind: ConfigMap, metadata: {name: pushed, namespace: default}, data: {a: b}}',
    'main/deployment.yaml': `deployments: [{oci: {url: 'oci://${registry.host}/team/app', ref: {tag: v2}}}]`,
  })
  await symlink('cm', join(folder, 'app/link'))
  const app = join(folder, 'app')
  const git = (...args: string[]) => execFileSync('git', args, { cwd: app, encoding: 'utf8' }).trim()
  git('init', '--quiet', '--initial-branch=main')
  git('remote', 'add', 'origin', 'https://me:s3cret@git.example.com/team/app.git')
  git('add', '.')
  git('-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '--quiet', '--message=x')
  const url = `oci://${registry.host}/team/app:v2`
  const refused = await offshoot(['oci', 'push', '--project-dir', app, '--url', url])
  expect([refused.code, refused.stdout]).toEqual([1, ''])
  expect(refused.stderr).toContain('401 Unauthorized')
  const creds = ['--registry-creds', `${registry.host}/team/*=me:pass`]
  const flags = ['--no-update-check', '--project-dir', app, 'oci', 'push', ...creds, '--annotation', 'team=a=b']
  const pushed = await offshoot([...flags, '--output', 'json'], { KLUCTL_URL: url })
  expect(pushed.code, pushed.stderr).toBe(0)
  const told = JSON.parse(pushed.stdout) as { digest: string }
  const repository = `${registry.host}/team/app`
  expect(told).toEqual({ url: `oci://${repository}@${told.digest}`, repository, tag: 'v2', digest: told.digest })
  expect(pushed.stderr).toContain(`Artifact successfully pushed to ${repository}@${told.digest}`)
  expect(pushed.stderr).toContain('link is neither a file nor a folder')
  expect(parse((await offshoot([...flags, '--url', url, '--output=yaml'])).stdout)).toMatchObject({ tag: 'v2' })
  const headers = { authorization: `Basic ${btoa('me:pass')}` }
  const text = await fetch(`${registry.server.url}/v2/team/app/manifests/v2`, { headers }).then(it => it.text())
  expect(text).not.toContain('s3cret')
  const { annotations } = JSON.parse(text) as { annotations: Record<string, string> }
  const commit = git('rev-parse', 'HEAD')
  expect(annotations).toMatchObject({
    team: 'a=b',
    'org.opencontainers.image.source': 'https://git.example.com/team/app.git',
    'org.opencontainers.image.revision': commit,
  })
  expect(JSON.parse(annotations['io.kluctl.image.git_info'] ?? '')).toEqual({
    url: 'https://git.example.com/team/app.git',
    ref: { branch: 'main' },
    subDir: '',
    commit,
    dirty: false,
  })
  const main = ['render', '--project-dir', join(folder, 'main'), '--offline-kubernetes', '--print-all', ...creds]
  const rendered = await offshoot(main)
  expect(rendered.code, rendered.stderr).toBe(0)
  expect(rendered.stdout).toContain('name: pushed')
  const set = { KLUCTL_REGISTRY_1_USERNAME: 'me', KLUCTL_REGISTRY_1_PASSWORD: 'pass' }
  const by = (variables: Record<string, string>) =>
    offshoot(['oci', 'push', '--project-dir', app, '--url', url], { ...set, ...variables })
  expect((await by({ KLUCTL_REGISTRY_1_REPOSITORY: repository })).stderr).toContain('successfully')
  const both = { KLUCTL_REGISTRY_1_HOST: registry.host, KLUCTL_REGISTRY_1_REPOSITORY: 'team/app' }
  expect((await by(both)).stderr).toContain('successfully')
  expect((await by({ ...both, KLUCTL_REGISTRY_1_REPOSITORY: 'team/other' })).code).toBe(1)
})

test('a registry with TLS is believed by its authority, or unchecked when asked to', async () => {
  const tls = await selfSigned('127.0.0.1')
  await using registry = await startRegistry('none', tls)
  await write({ 'app/a': '1', 'ca.pem': tls.cert })
  const args = ['oci', 'push', '--project-dir', join(folder, 'app'), '--url', `oci://${registry.host}/app`]
  const unknown = await offshoot(args)
  expect(unknown.code).toBe(1)
  expect(unknown.stderr).toMatch(/certificate/)
  const known = await offshoot([...args, '--registry-ca-file', `${registry.host}=${join(folder, 'ca.pem')}`])
  expect(known.code, known.stderr).toBe(0)
  const unchecked = await offshoot([...args, '--registry-insecure-skip-tls-verify', registry.host])
  expect(unchecked.code, unchecked.stderr).toBe(0)
})

test.each([
  [[], /--url: expected oci:\/\/host\/repository/, 2],
  [['--url', 'oci://h/a', '--output', 'text'], /Allowed choices are json, yaml/, 2],
  [['--url', 'oci://h/a', '--annotation', 'x'], /invalid annotation x, must be in the format key=value/, 1],
])('oci push %j is refused', async (args, message, code) => {
  const told = await offshoot(['oci', 'push', ...args])
  expect(told.stderr).toMatch(message)
  expect([told.code, told.stdout]).toEqual([code, ''])
})
