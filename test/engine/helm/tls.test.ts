import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { ChartServer } from '../../harness/charts/server.ts'
import { selfSigned } from '../../harness/engine/certificate.ts'
import { helmProject, ownCache } from './project.ts'

// Each starts several programs.
vi.setConfig({ testTimeout: 60_000 })

/** Certificates of a server and of a client as files, and the server's options that want the client's. */
async function certificates() {
  const [server, client] = await Promise.all([selfSigned('127.0.0.1'), selfSigned('client')])
  const folder = mkdtempSync(join(tmpdir(), 'offshoot-tls-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = (name: string, content: string) => {
    writeFileSync(join(folder, name), content)
    return join(folder, name)
  }
  return {
    ca: file('ca.pem', server.cert),
    cert: file('cert.pem', client.cert),
    key: file('key.pem', client.key),
    options: { ...server, ca: client.cert, requestCert: true, rejectUnauthorized: true },
  }
}

const versions = ['1.0.0', '2.0.0'].map(version => ({ name: 'shop', version }))
const repository = (url: string) => [`repo: ${url}`, 'chartName: shop', 'chartVersion: 1.0.0', 'releaseName: r']

test('a repository with an authority of its own that asks for a certificate', async () => {
  const { ca, cert, key, options } = await certificates()
  await using server = await ChartServer.start(versions, 'ann:pw', options)
  await using project = await helmProject(repository(server.url))
  const flag = (name: string, value: string) => `--helm-${name}=${server.host}/stable=${value}`
  const unknown = await project.run(['helm-pull', flag('creds', 'ann:pw')], await ownCache())
  expect(unknown.code).toBe(1)
  expect(unknown.stderr).toMatch(/certificate/)
  const bare = await project.run(['helm-pull', flag('creds', 'ann:pw'), flag('ca-file', ca)], await ownCache())
  expect(bare.code).toBe(1)
  const flags = [flag('creds', 'ann:pw'), flag('ca-file', ca), flag('cert-file', cert), flag('key-file', key)]
  const pulled = await project.run(['helm-pull', ...flags], await ownCache())
  expect(pulled.code, pulled.stderr).toBe(0)
  const set = { HOST: server.host, USERNAME: 'ann', PASSWORD: 'pw', CA_FILE: ca, CERT_FILE: cert, KEY_FILE: key }
  const env = Object.fromEntries(Object.entries(set).map(([name, value]) => [`KLUCTL_HELM_${name}`, value]))
  const told = await project.run(['helm-update'], { ...(await ownCache()), ...env })
  expect(told.stderr).toContain('has new version 2.0.0 available')
})

test('a registry with an authority of its own, a client certificate and a token', async () => {
  const { ca, cert, key, options } = await certificates()
  await using server = await ChartServer.start(versions, 'token t0ken', options)
  await using project = await helmProject([`repo: ${server.oci('shop')}`, 'chartVersion: 1.0.0', 'releaseName: r'])
  const flag = (name: string, value: string) => `--registry-${name}=${server.host}/charts/*=${value}`
  const files = [flag('ca-file', ca), flag('cert-file', cert), flag('key-file', key)]
  const refused = await project.run(['helm-update', ...files, flag('token', 'wr0ng')], await ownCache())
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain('401')
  expect(refused.stderr).not.toContain('wr0ng')
  const told = await project.run(['helm-update', '--upgrade', ...files, flag('token', 't0ken')], await ownCache())
  expect(told.code, told.stderr).toBe(0)
  expect(await readFile(join(project.folder, 'app/helm-chart.yaml'), 'utf8')).toContain('chartVersion: 2.0.0\n')
})

test('a certificate that nobody vouches for is accepted only where a flag says so', async () => {
  const { cert, key } = await selfSigned('127.0.0.1')
  await using server = await ChartServer.start(versions, undefined, { cert, key })
  await using project = await helmProject(repository(server.url))
  expect((await project.run(['helm-pull'], await ownCache())).code).toBe(1)
  const flags = [`--helm-insecure-skip-tls-verify=${server.host}`]
  expect(await project.run(['helm-pull', ...flags], await ownCache())).toMatchObject({ code: 0 })
})
