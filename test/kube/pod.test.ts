import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Credentials } from '../../src/kube/config.ts'
import { podConfig } from '../../src/kube/pod.ts'

async function pod() {
  const root = await mkdtemp(join(tmpdir(), 'offshoot-pod-'))
  onTestFinished(() => rm(root, { recursive: true }))
  const folder = join(root, 'account')
  await mkdir(folder)
  await Promise.all([
    writeFile(join(folder, 'token'), 'first\n'),
    writeFile(join(folder, 'ca.crt'), 'authority'),
    writeFile(join(folder, 'namespace'), 'offshoot-system'),
  ])
  return { root, folder }
}
const env = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '6443' }

test('a pod speaks as its own account, with the token that is in its folder now', async () => {
  const { root, folder } = await pod()
  const config = podConfig(env, { home: root, folder })
  if (config === undefined) throw new Error('no configuration')
  const clock = { time: 0, now: () => clock.time, sleep: () => Promise.resolve() }
  const credentials = new Credentials(config, clock)
  expect([credentials.server, credentials.namespace]).toEqual(['https://10.96.0.1:6443', 'offshoot-system'])
  const access = await credentials.access()
  expect([access.headers.authorization, String(access.tls.ca)]).toEqual(['Bearer first', 'authority'])
  await writeFile(join(folder, 'token'), 'second')
  clock.time += 10_000
  expect((await credentials.access()).headers.authorization).toBe('Bearer second')
})

test('an address of version 6 is put in brackets', async () => {
  const { root, folder } = await pod()
  const config = podConfig({ KUBERNETES_SERVICE_HOST: 'fd00::1' }, { home: root, folder })
  expect(config?.getCurrentCluster()?.server).toBe('https://[fd00::1]:443')
})

test.each([
  ['outside of a pod', {}, ''],
  ['where KUBECONFIG names a file', { ...env, KUBECONFIG: '/etc/kubeconfig' }, ''],
  ['where a home has a kubeconfig', env, '.kube'],
])('%s the kubeconfig decides', async (_, environment, made) => {
  const { root, folder } = await pod()
  if (made !== '') {
    await mkdir(join(root, made))
    await writeFile(join(root, made, 'config'), '{}')
  }
  expect(podConfig(environment, { home: root, folder })).toBeUndefined()
})
