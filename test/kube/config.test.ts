import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { KubeClient } from '../../src/kube/client.ts'
import { Credentials, loadKubeconfig } from '../../src/kube/config.ts'
import { configMap, json, startOddServer, status } from './api-server.ts'

function kubeconfig(server: string, user: object): string {
  return JSON.stringify({
    'current-context': 'main',
    clusters: [{ name: 'c', cluster: { server } }],
    users: [{ name: 'u', user }],
    contexts: [
      { name: 'main', context: { cluster: 'c', user: 'u', namespace: 'team' } },
      { name: 'other', context: { cluster: 'c', user: 'u' } },
    ],
  })
}

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'offshoot-config-'))
  onTestFinished(() => rm(path, { recursive: true }))
  return path
}
const key = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name: 'a' }

describe('kubeconfig', () => {
  it('names context and namespace', () => {
    const client = KubeClient.fromKubeconfig({ text: kubeconfig('http://127.0.0.1:1/prefix/', {}) })
    expect(client).toMatchObject({ context: 'main', defaultNamespace: 'team', server: 'http://127.0.0.1:1/prefix' })
    const other = KubeClient.fromKubeconfig({ text: kubeconfig('http://127.0.0.1:1', {}), context: 'other' })
    expect(other.defaultNamespace).toBeUndefined()
  })

  it.each([
    ['a missing file', { path: '/does/not/exist' }, /cannot load the kubeconfig \/does\/not\/exist/],
    ['no YAML', { text: '{{{' }, /cannot load the kubeconfig/],
    [
      'an unknown context',
      { text: kubeconfig('http://x', {}), context: 'prod' },
      /"prod" does not exist .*main, other/,
    ],
    [
      'a file without clusters',
      { text: '{"current-context": "x", "contexts": [], "clusters": [], "users": []}' },
      /no cluster/,
    ],
  ])('says what is wrong with %s', (_, options, message) => {
    expect(() => loadKubeconfig(options)).toThrow(message)
  })

  it('runs an exec plugin, and reports one that fails', async () => {
    const server = await startOddServer()
    const seen: (string | undefined)[] = []
    server.handle((request, response) => {
      seen.push(request.headers.authorization)
      json(response, 200, configMap('a', '1'))
    })
    const plugin = join(await folder(), 'plugin')
    const credential = {
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { token: 't1' },
    }
    await writeFile(plugin, `#!/bin/sh\necho '${JSON.stringify(credential)}'\n`)
    await chmod(plugin, 0o700)
    const exec = (command: string) => ({ exec: { apiVersion: credential.apiVersion, command } })
    await KubeClient.fromKubeconfig({ text: kubeconfig(server.url, exec(plugin)) }).get(key)
    expect(seen).toEqual(['Bearer t1'])
    const broken = KubeClient.fromKubeconfig({ text: kubeconfig(server.url, exec('/does/not/exist')) })
    await expect(broken.get(key)).rejects.toThrow(/cannot get credentials/)
  })

  it('reads credentials again after ten seconds and after a 401', async () => {
    const server = await startOddServer()
    const clock = { time: 0, now: () => clock.time, sleep: () => Promise.resolve() }
    const config = loadKubeconfig({ text: kubeconfig(server.url, { token: 'first' }) })
    const credentials = new Credentials(config, clock)
    const token = async () => (await credentials.access()).headers.authorization
    expect(await token()).toBe('Bearer first')
    config.users = config.users.map(user => ({ ...user, token: 'second' }))
    expect(await token()).toBe('Bearer first')
    clock.time += 10_000
    expect(await token()).toBe('Bearer second')
    config.users = config.users.map(user => ({ ...user, token: 'third' }))
    credentials.invalidate()
    expect(await token()).toBe('Bearer third')
  })

  it('tells of a 401', async () => {
    const server = await startOddServer()
    server.handle((_, response) => json(response, 401, status(401, 'Unauthorized')))
    await expect(server.client.get(key)).rejects.toMatchObject({ isUnauthorized: true })
  })

  it('refuses socks proxies clearly', async () => {
    const text = JSON.parse(kubeconfig('https://x', {}))
    text.clusters[0].cluster['proxy-url'] = 'socks5://127.0.0.1:1'
    const client = KubeClient.fromKubeconfig({ text: JSON.stringify(text) })
    await expect(client.get(key, { timeout: 1_000 })).rejects.toThrow(/only http and https proxies/)
  })
})
