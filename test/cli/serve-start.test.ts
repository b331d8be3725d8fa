import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { crdManifests } from '../../src/cli/manifests.ts'
import { type RunningOffshoot, startOffshoot } from '../../src/cli/serve-run.ts'
import { parseServeSettings } from '../../src/cli/serve-settings.ts'
import { appEvents, appPermissions } from '../../src/forge/github/app-needs.ts'
import { KubeClient } from '../../src/kube/client.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/index.ts'
import { type ApiProxy, startApiProxy } from '../harness/api-proxy.ts'
import type { AppOptions } from '../harness/forge/apps.ts'
import { startFakeForge } from '../harness/forge/forge.ts'
import { waitFor } from '../harness/wait.ts'

const patient = { deadline: 10_000 }

let sandbox: Sandbox
let proxy: ApiProxy
let folder = ''
/** What Offshoot logged, line by line. */
let log: Record<string, unknown>[] = []

beforeEach(async () => {
  log = []
  sandbox = await startSandbox()
  proxy = await startApiProxy(sandbox.url)
  folder = await mkdtemp(join(tmpdir(), 'offshoot-serve-start-'))
  await writeFile(join(folder, 'kubeconfig'), sandbox.kubeconfig().replaceAll(sandbox.url, proxy.url))
  const client = KubeClient.fromKubeconfig({ text: sandbox.kubeconfig() })
  for (const crd of await crdManifests()) await client.create(crd)
  await client.close()
})
afterEach(async () => {
  await proxy.close()
  await sandbox.close()
  await rm(folder, { recursive: true, force: true })
})

/** Offshoot with its servers listening; what it knows of the cluster is still to come. */
async function start(flags: Record<string, unknown> = {}) {
  const settings = parseServeSettings(
    { listen: '127.0.0.1:0', metricsListen: '127.0.0.1:0', namespace: 'default', leaderElection: false, ...flags },
    {},
  )
  const write = (line: string) => void log.push(JSON.parse(line) as Record<string, unknown>)
  const cluster = { kubeconfig: join(folder, 'kubeconfig') }
  const offshoot: RunningOffshoot = await startOffshoot(settings, cluster, { log: pino({ level: 'debug' }, { write }) })
  const readiness = async () => {
    const answer = await fetch(`${offshoot.url}/readyz`)
    return `${answer.status} ${await answer.text()}`
  }
  return { url: offshoot.url, readiness, [Symbol.asyncDispose]: () => offshoot.close() }
}

describe('readiness', () => {
  it.each([
    ['projects', /\/reviewprojects\?(?!.*watch=true)/],
    ['environments', /\/reviewenvironments\?(?!.*watch=true)/],
    ['namespaces', /\/namespaces\?(?!.*watch=true)/],
    ['bindings', /\/rolebindings\?(?!.*watch=true)/],
  ])('waits for a list of %s that does not come', async (name, path) => {
    const list = proxy.hold({ path }, 'after')
    await using offshoot = await start()
    await list.hit
    // All others have come; this one has been asked for, and is all that is missing.
    await waitFor(async () => (await offshoot.readiness()) === `503 waiting for ${name}`, {
      ...patient,
      describe: async () => `the others to be known: ${await offshoot.readiness()}`,
    })
    expect((await fetch(`${offshoot.url}/healthz`)).status).toBe(200)
    // No delivery is taken that nobody could act on.
    expect((await fetch(`${offshoot.url}/webhooks/github`, { method: 'POST' })).status).toBe(503)
    list.release()
    await waitFor(async () => (await offshoot.readiness()) === '200 ok', patient)
  })

  it('does not come from a list that fails', async () => {
    const path = /\/reviewprojects\?(?!.*watch=true)/
    proxy.trouble({ path }, { status: 500, reason: 'InternalError' })
    const second = proxy.hold({ path }, 'before')
    await using offshoot = await start()
    await second.hit
    await waitFor(async () => (await offshoot.readiness()) === '503 waiting for projects', patient)
    second.release()
    await waitFor(async () => (await offshoot.readiness()) === '200 ok', patient)
  })
})

describe('the GitHub App of the installation', () => {
  /** What is said of an App at the start. */
  async function said(options: AppOptions): Promise<Record<string, unknown>> {
    const forge = await startFakeForge()
    try {
      const app = forge.apps.create('shop-previews', options)
      const file = join(folder, 'key.pem')
      await writeFile(file, app.privateKey)
      await using _offshoot = await start({
        githubAppId: String(app.id),
        githubAppPrivateKeyFile: file,
        githubAppAllow: ['*=*/*'],
        githubAppApiUrl: forge.apiUrl,
      })
      return await waitFor(() => log.find(line => String(line.msg).includes('the GitHub App')), patient)
    } finally {
      await forge.close()
    }
  }

  it('has everything, and this is said', async () => {
    const { level, msg } = await said({ permissions: { ...appPermissions }, events: [...appEvents] })
    expect([level, msg]).toEqual([30, 'the GitHub App has every permission and event it needs'])
  })

  it('lacks permissions and events, and each is named', async () => {
    const { level, msg, missing, settingsUrl } = await said({
      permissions: { contents: 'read', metadata: 'read', pull_requests: 'read' },
      events: ['push'],
    })
    expect([level, msg]).toEqual([50, 'the GitHub App lacks permissions or events'])
    expect(missing).toEqual([
      'permission pull_requests: write (it has read)',
      'permission statuses: write (it has none)',
      'event pull_request',
    ])
    expect(settingsUrl).toContain('shop-previews')
  })
})
