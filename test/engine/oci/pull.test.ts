import { chmod, lstat, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { OciArtifacts, type OciOptions, type RegistryCredential } from '../../../src/engine/oci/index.ts'
import { unpack } from '../../../src/engine/oci/unpack.ts'
import { systemClock } from '../../../src/util/clock.ts'
import { startRegistry, tarball } from '../../harness/engine/registry.ts'

let folder: string
const { signal } = new AbortController()

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'offshoot-oci-test-'))
})

afterEach(async () => {
  await rm(folder, { recursive: true })
})

function client(credential: RegistryCredential = {}, options: Partial<OciOptions> = {}): OciArtifacts {
  return new OciArtifacts({
    credential: () => ({ plainHttp: true, ...credential }),
    configFiles: [],
    environment: {},
    policy: { allowsUrl: () => true },
    cacheFolder: join(folder, 'cache'),
    clock: { ...systemClock, sleep: () => Promise.resolve() },
    ...options,
  })
}

const project = () =>
  tarball([
    ['deployment.yaml', 'deployments: []'],
    ['sub/run.sh', { content: '#!', mode: 0o755 }],
  ])
const gone = (path: string) =>
  lstat(path).then(
    () => false,
    () => true,
  )

test('an artifact is pulled by tag and by digest, and unpacked until the run ends', async () => {
  await using registry = await startRegistry()
  const digest = registry.push('team/app', 'v1', [await project()])
  const url = `oci://${registry.host}/team/app`
  const oci = client()
  const { folder: pulled, revision } = await oci.pull(url, { tag: 'v1' }, signal)
  expect(revision).toBe(digest)
  expect(await readFile(join(pulled, 'deployment.yaml'), 'utf8')).toBe('deployments: []')
  expect((await lstat(join(pulled, 'sub/run.sh'))).mode & 0o777).toBe(0o755)
  expect((await oci.pull(url, { digest }, signal)).revision).toBe(digest)
  await oci[Symbol.asyncDispose]()
  expect(await gone(pulled)).toBe(true)
})

test('one run asks once for an artifact, the next run does not load its layer again', async () => {
  await using registry = await startRegistry()
  registry.push('app', 'latest', [await project()])
  const url = `oci://${registry.host}/app`
  await using first = client()
  await Promise.all([first.pull(url, undefined, signal), first.pull(url, undefined, signal)])
  expect(registry.server.received).toHaveLength(2)
  await using second = client()
  await second.pull(url, undefined, signal)
  expect(registry.server.received.map(({ path }) => path.split('/')[3])).toEqual(['manifests', 'blobs', 'manifests'])
})

test('a damaged cache is loaded anew', async () => {
  await using registry = await startRegistry()
  registry.push('app', 'latest', [await project()])
  const url = `oci://${registry.host}/app`
  await using first = client()
  await first.pull(url, undefined, signal)
  const cache = join(folder, 'cache/oci')
  for (const name of await readdir(cache)) await writeFile(join(cache, name), 'rotten')
  await using second = client()
  const { folder: pulled } = await second.pull(url, undefined, signal)
  expect(await readdir(pulled)).toContain('deployment.yaml')
})

test.each([
  ['basic', { username: 'me', password: 'pass' }],
  ['token', { username: 'me', password: 'pass' }],
  ['token', { identityToken: 'id' }],
  ['token', { token: 't' }],
] as const)('a private registry with %s authentication is opened by %j', async (auth, credential) => {
  await using registry = await startRegistry(auth)
  registry.push('app', 'latest', [await project()])
  await using oci = client(credential)
  expect(await readdir((await oci.pull(`oci://${registry.host}/app`, undefined, signal)).folder)).toContain('sub')
  await using wrong = client({ username: 'me', password: 'wr0ng' })
  const failure = await wrong.pull(`oci://${registry.host}/app`, undefined, signal).catch(String)
  expect(failure).toContain('HTTP 401')
  expect(failure).not.toContain('wr0ng')
})

test('a login that docker stored opens a registry, in the clear or with a helper', async () => {
  await using registry = await startRegistry('basic')
  registry.push('app', 'latest', [await project()])
  const file = join(folder, 'config.json')
  const pull = async () => {
    await using oci = client({}, { configFiles: [file], environment: { PATH: `${folder}:${process.env.PATH}` } })
    await oci.pull(`oci://${registry.host}/app`, undefined, signal)
  }
  await writeFile(file, JSON.stringify({ auths: { [registry.host]: { auth: btoa('me:pass') } } }))
  await pull()
  await writeFile(file, JSON.stringify({ auths: { [registry.host]: { username: 'me', password: 'pass' } } }))
  await pull()
  const helper = join(folder, 'docker-credential-test')
  await writeFile(helper, `#!/bin/sh\n[ "$(cat)" = "${registry.host}" ] && echo '{"Username":"me","Secret":"pass"}'\n`)
  await chmod(helper, 0o755)
  await writeFile(file, JSON.stringify({ credHelpers: { [registry.host]: 'test' } }))
  await expect(pull()).resolves.toBeUndefined()
  await writeFile(file, JSON.stringify({ credsStore: 'test' }))
  await expect(pull()).resolves.toBeUndefined()
  await writeFile(file, '')
  await expect(pull()).rejects.toThrow('basic credential not found')
  await writeFile(file, '{"auths": s3cret')
  await expect(pull()).rejects.toThrow()
})

test('content that does not fit its digest is refused', async () => {
  await using registry = await startRegistry()
  const layer = await project()
  const digest = registry.push('app', 'v1', [layer])
  const other = await tarball([['evil', 'x']])
  const { layers } = JSON.parse(
    Buffer.from(
      (await fetch(`${registry.server.url}/v2/app/manifests/v1`).then(it => it.arrayBuffer())) as ArrayBuffer,
    ).toString(),
  ) as { layers: { digest: string }[] }
  registry.replaceBlob(layers[0]?.digest ?? '', other)
  const pull = async (ref: { tag?: string; digest?: string }) => {
    await using oci = client()
    return await oci.pull(`oci://${registry.host}/app`, ref, signal)
  }
  await expect(pull({ tag: 'v1' })).rejects.toThrow('does not fit its digest')
  registry.intercept = ({ path }) => (path.includes(digest) ? '{"layers": []}' : null)
  await expect(pull({ digest })).rejects.toThrow('does not fit its digest')
})

test('a busy registry is asked again; what it refuses is said in its words', async () => {
  await using registry = await startRegistry()
  registry.push('app', 'latest', [await project()])
  let busy = 2
  registry.intercept = () => (busy-- > 0 ? { status: 503 } : null)
  await using oci = client()
  await oci.pull(`oci://${registry.host}/app`, undefined, signal)
  expect(registry.server.received).toHaveLength(4)
  await expect(oci.pull(`oci://${registry.host}/app`, { tag: 'v9' }, signal)).rejects.toThrow(
    'MANIFEST_UNKNOWN: v9 is unknown',
  )
})

test('of an index the manifest for linux/amd64 is taken', async () => {
  await using registry = await startRegistry()
  const digest = registry.push('app', 'amd', [await project()])
  const other = registry.push('app', 'arm', [await tarball([['arm', '']])])
  const platform = (architecture: string) => ({ os: 'linux', architecture })
  registry.pushManifest('app', 'latest', {
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      { digest: other, size: 1, platform: platform('arm64') },
      { digest, size: 1, platform: platform('amd64') },
    ],
  })
  await using oci = client()
  expect((await oci.pull(`oci://${registry.host}/app`, undefined, signal)).revision).toBe(digest)
})

test('nothing is asked where the policy says no, also not after a redirect', async () => {
  await using registry = await startRegistry()
  await using elsewhere = await startRegistry()
  registry.push('app', 'latest', [await project()])
  const url = `oci://${registry.host}/app`
  await using refused = client({}, { policy: { allowsUrl: () => false } })
  await expect(refused.pull(url, undefined, signal)).rejects.toThrow('is not allowed here')
  expect(registry.server.received).toEqual([])
  registry.intercept = ({ path }) =>
    path.includes('/blobs/') ? { status: 307, headers: { location: `${elsewhere.server.url}${path}` } } : null
  await using oci = client({}, { policy: { allowsUrl: one => one === url } })
  await expect(oci.pull(url, undefined, signal)).rejects.toThrow('is not allowed here')
  expect(elsewhere.server.received).toEqual([])
})

test.each([
  ['http://host/app', 'expected oci://host/repository'],
  ['oci://host', 'expected oci://host/repository'],
  ['oci://host/App', 'App is not the name of a repository'],
  ['oci://host/a/../b', 'is not the name of a repository'],
  ['oci://host/app:a/b', 'a/b is not a tag'],
  ['oci://host/app@sha256:1', 'sha256:1 is not a digest'],
])('%s is refused', async (url, message) => {
  await using oci = client()
  await expect(oci.pull(url, undefined, signal)).rejects.toThrow(message)
})

test('an archive cannot write outside of its folder; links and devices are left out', async () => {
  const target = await mkdtemp(join(folder, 'target-'))
  for (const name of ['../evil', '/evil', 'a/../../evil', 'a\\..\\evil']) {
    await expect(unpack(await tarball([[name, 'x']]), target, signal)).rejects.toThrow('leads out of it')
  }
  await unpack(
    await tarball([
      ['link', { type: 'symlink', linkname: folder }],
      ['link/evil', 'x'],
      ['hard', { type: 'link', linkname: '/etc/hostname' }],
      ['device', { type: 'character-device' }],
      ['fine', 'x'],
    ]),
    target,
    signal,
  )
  expect((await readdir(target)).sort()).toEqual(['fine', 'link'])
  expect(await gone(join(folder, 'evil'))).toBe(true)
  await expect(
    unpack(
      await tarball([
        ['twice', 'a'],
        ['twice', 'b'],
      ]),
      target,
      signal,
    ),
  ).rejects.toThrow('cannot be unpacked')
})

test('archives have an end, and what is no archive says so', async () => {
  const bomb = await tarball([['big', 'x'.repeat(2_000_000)]])
  await expect(unpack(bomb, folder, signal, { maxBytes: 1_000_000, maxEntries: 10 })).rejects.toThrow(
    'more than 1000000 bytes',
  )
  const many = await tarball(Array.from({ length: 20 }, (_, index) => [`${index}`, ''] as const))
  await expect(unpack(many, folder, signal, { maxBytes: 1_000_000, maxEntries: 10 })).rejects.toThrow(
    'more than 10 entries',
  )
  await expect(unpack(gzipSync('no tar, only text '.repeat(100)), folder, signal)).rejects.toThrow('cannot be unpacked')
  await expect(unpack(bomb.subarray(0, 100), folder, signal)).rejects.toThrow('cannot be unpacked')
})
