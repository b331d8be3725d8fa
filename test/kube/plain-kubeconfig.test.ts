import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { stringify } from 'yaml'
import { Credentials, type KubeconfigOptions, loadKubeconfig } from '../../src/kube/config.ts'
import { plainKubeconfig } from '../../src/kube/plain-kubeconfig.ts'
import type { ClusterConfig } from '../../src/kube/pod.ts'
import { systemClock } from '../../src/util/clock.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')

interface Parts {
  cluster?: object
  user?: object
  context?: object
  [key: string]: unknown
}

function kubeconfig({ cluster = {}, user = {}, context = {}, ...more }: Parts = {}): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'main',
    clusters: [{ name: 'c', cluster: { server: 'https://10.0.0.1:6443', ...cluster } }],
    users: [
      { name: 'u', user },
      { name: 'v', user: { token: 'of v' } },
    ],
    contexts: [
      { name: 'main', context: { cluster: 'c', user: 'u', namespace: 'team', ...context } },
      { name: 'other', context: { cluster: 'c', user: 'v' } },
    ],
    preferences: {},
    ...more,
  })
}

/** All that a client learns from a configuration. */
async function learned(config: ClusterConfig | undefined) {
  if (config === undefined) throw new Error('left to the library')
  const credentials = new Credentials(config, systemClock)
  const { server, context, namespace, proxyUrl } = credentials
  const { headers, tls } = await credentials.access()
  return { server, context, namespace, proxyUrl, headers, tls }
}

async function fileWith(content: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'offshoot-kubeconfig-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  for (const name of ['ca.crt', 'client.crt', 'client.key']) await writeFile(join(folder, name), `from ${name}`)
  await writeFile(join(folder, 'config'), content)
  return join(folder, 'config')
}

describe('a plain kubeconfig means what it means to the library', () => {
  const certificates = { 'client-certificate-data': base64('cert'), 'client-key-data': base64('key') }
  it.each<[string, string, KubeconfigOptions?]>([
    ['with a token', kubeconfig({ user: { token: 'secret' } })],
    ['with certificates', kubeconfig({ cluster: { 'certificate-authority-data': base64('ca') }, user: certificates })],
    ['with a password', kubeconfig({ user: { username: 'jane', password: 'pass' } })],
    ['with nothing', kubeconfig()],
    ['without a check of the server', kubeconfig({ cluster: { 'insecure-skip-tls-verify': true } })],
    ['with another name of the server', kubeconfig({ cluster: { 'tls-server-name': 'kubernetes' } })],
    ['with a prefix', kubeconfig({ cluster: { server: 'https://rancher.example.com/k8s/clusters/a/' } })],
    ['over plain HTTP', kubeconfig({ cluster: { server: 'http://127.0.0.1:8001' } })],
    ['with another context', kubeconfig({ user: { exec: { command: 'x' } } }), { context: 'other' }],
    [
      'of minikube',
      kubeconfig({ cluster: { extensions: [{ name: 'a', extension: {} }] }, context: { extensions: [] } }),
    ],
    ['in JSON', jsonConfig()],
  ])('%s', async (_, text, options = {}) => {
    const plain = await learned(plainKubeconfig({ text, ...options }))
    expect(plain).toEqual(await learned(loadKubeconfig({ text, ...options })))
  })

  it('with files beside it', async () => {
    const cluster = { 'certificate-authority': 'ca.crt', 'certificate-authority-data': base64('not this') }
    const user = { 'client-certificate': 'client.crt', 'client-key': 'client.key' }
    const path = await fileWith(kubeconfig({ cluster, user }))
    const plain = await learned(plainKubeconfig({ path }))
    expect(plain).toEqual(await learned(loadKubeconfig({ path })))
    expect(String(plain.tls.ca)).toBe('from ca.crt')
  })

  it('named by KUBECONFIG or in the home', async () => {
    const path = await fileWith(kubeconfig({ user: { token: 'mine' } }))
    const named = await learned(plainKubeconfig({}, { KUBECONFIG: path }))
    expect(named.headers).toEqual({ authorization: 'Bearer mine' })
    expect(plainKubeconfig({}, { KUBECONFIG: `${path}:${path}` })).toBeUndefined()
    expect(plainKubeconfig({}, { HOME: join(path, '..') })).toBeUndefined()
  })
})

describe('everything else is left to the library', () => {
  it.each([
    ['an exec plugin', kubeconfig({ user: { exec: { command: 'aws' } } })],
    ['an auth provider', kubeconfig({ user: { 'auth-provider': { name: 'oidc' } } })],
    ['a file with a token', kubeconfig({ user: { tokenFile: '/token' } })],
    ['acting as somebody else', kubeconfig({ user: { token: 'x', as: 'root' } })],
    ['a proxy', kubeconfig({ cluster: { 'proxy-url': 'http://proxy' } })],
    ['a token that is a number', kubeconfig({ user: { token: 1 } })],
    ['an unknown field', kubeconfig({ user: { token: 'x', future: true } })],
    ['two users of one name', kubeconfig({ users: [1, 2].map(token => ({ name: 'u', user: { token: `${token}` } })) })],
    ['a context that is not there', kubeconfig({ 'current-context': 'prod' })],
    ['a user that is not there', kubeconfig({ context: { user: 'nobody' } })],
    ['no YAML', '{{{'],
    ['nothing', ''],
  ])('%s', (_, text) => {
    expect(plainKubeconfig({ text })).toBeUndefined()
  })

  it('a file that is not there', () => {
    expect(plainKubeconfig({ path: '/does/not/exist' })).toBeUndefined()
  })
})

function jsonConfig(): string {
  return JSON.stringify({
    'current-context': 'main',
    clusters: [{ name: 'c', cluster: { server: 'https://10.0.0.1' } }],
    users: [{ name: 'u', user: { token: 'secret' } }],
    contexts: [{ name: 'main', context: { cluster: 'c', user: 'u' } }],
  })
}
