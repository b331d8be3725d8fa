import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { findCondition } from '../../src/api/index.ts'
import { appEvents, appPermissions } from '../../src/forge/github/app-needs.ts'
import type { KubeObject } from '../../src/kube/types.ts'
import { waitFor } from '../harness/cluster.ts'
import type { FakeApp } from '../harness/forge/apps.ts'
import type { FakeForge } from '../harness/forge/forge.ts'
import { aHouse } from '../harness/house.ts'
import { readMetrics, sumOf } from '../harness/metrics.ts'
import { freePorts } from '../harness/ports.ts'
import { kluctlStandIn } from '../harness/story-backends.ts'

const patient = { deadline: 90_000 }
const credentialOf = (app: FakeApp) => ({ appId: String(app.id), privateKey: app.privateKey })

function createApp(
  forge: FakeForge,
  more: { hook?: { url: string; secret: string }; statuses?: 'read' } = {},
): FakeApp {
  const { hook, statuses = 'write' } = more
  const permissions = { ...appPermissions, statuses } as const
  return forge.apps.create('shop-previews', { permissions, events: [...appEvents], ...(hook ? { hook } : {}) })
}

describe('a project with a GitHub App of its own', { concurrent: true }, () => {
  it('is deployed by kluctl from a private repository, and people are told by the App', async () => {
    await using house = await aHouse().deployingBy(kluctlStandIn).start()
    const app = createApp(house.forge)
    app.install('acme')
    const project = kluctlStandIn.project({ private: true, credential: credentialOf(app) })
    await house.createProject('shop', project)
    const pull = await house.repo().openPullRequest()
    const environment = house.environment(pull)
    await environment.toBeReady(pull.sha, patient)
    expect(await environment.find()).toMatchObject({ data: { version: pull.sha } })
    const comments = () => house.repo().commentsOf(pull.number)
    await waitFor(
      () => comments().some(({ author, body }) => author === 'shop-previews[bot]' && body.includes('ready')),
      {
        ...patient,
        describe: () => `the App to comment: ${JSON.stringify(comments())}`,
      },
    )
    // The token that kluctl has opens this repository, and no other of the same installation.
    const key = { apiVersion: 'v1', kind: 'Secret', namespace: house.namespace, name: 'offshoot-git-shop' }
    const secret = await house.kube.get<KubeObject & { data?: Record<string, string> }>(key)
    const token = Buffer.from(secret?.data?.password ?? '', 'base64').toString('utf8')
    expect(house.forge.apps.opens(token, 'acme/shop')).toBe(true)
    expect(house.forge.apps.opens(token, 'acme/other')).toBe(false)
    const log = house.offshoot.log.join('\n')
    for (const { token: made } of house.forge.apps.created) expect(log).not.toContain(made)
    expect(log).not.toContain(app.privateKey.split('\n')[1])
    await house.repo().close(pull.number)
    await environment.toBeGone(patient)
  }, 180_000)

  it('says which permission is missing, works as far as it goes, and is well once it is granted', async () => {
    await using house = await aHouse().start()
    const app = createApp(house.forge, { statuses: 'read' })
    const installation = app.install('acme')
    await house.createProject('shop', { credential: credentialOf(app) })
    const ready = async () => findCondition((await house.project('shop'))?.status?.conditions, 'Ready')
    const describeIt = async () => JSON.stringify(await ready())
    await waitFor(async () => (await ready())?.reason === 'PermissionsMissing', { ...patient, describe: describeIt })
    expect((await ready())?.message).toContain('statuses: write (it has read)')
    const pull = await house.repo().openPullRequest()
    await house.environment(pull).toBeReady(pull.sha)
    installation.permissions.statuses = 'write'
    // A commit status that is refused makes it look again what it may do.
    await waitFor(
      async () => {
        await house.list()
        return (await ready())?.reason === 'Listed'
      },
      { ...patient, describe: describeIt },
    )
  }, 180_000)
})

describe('the GitHub App of the installation', () => {
  it('is used where it is granted, and its failed deliveries are asked for again', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'offshoot-app-'))
    const secret = randomBytes(12).toString('hex')
    const files = { key: join(folder, 'key.pem'), secret: join(folder, 'secret') }
    const [port = 0] = await freePorts(1)
    const url = `http://127.0.0.1:${port}`
    let app: FakeApp | undefined
    try {
      await using house = await aHouse()
        .preparing(async (forge, namespace) => {
          app = createApp(forge, { hook: { url: `${url}/webhooks/github`, secret } })
          await writeFile(files.key, app.privateKey)
          await writeFile(files.secret, secret)
          const settings = {
            webhookUrl: url,
            githubAppId: String(app.id),
            githubAppPrivateKeyFile: files.key,
            githubAppAllow: [`${namespace}=acme/*`],
            githubAppApiUrl: forge.apiUrl,
          }
          return { port, settings, webhookSecretFile: files.secret, limits: { repairInterval: 500 } }
        })
        .start()
      for (const account of ['acme', 'globex']) app?.install(account)
      await house.createProject('shop', { private: true, credential: {} })
      await house.createProject('site', { private: true, credential: {}, repository: 'globex/site' })
      for (const name of ['shop', 'site']) house.repo(name).hooks.length = 0
      const reasonOf = async (name: string) =>
        findCondition((await house.project(name))?.status?.conditions, 'Ready')?.reason
      await waitFor(async () => (await reasonOf('shop')) === 'Listed', {
        ...patient,
        describe: async () => String(await reasonOf('shop')),
      })
      // Another account's repository was not granted to this namespace, though the App could read it.
      await waitFor(async () => (await reasonOf('site')) === 'SecretInvalid', {
        ...patient,
        describe: async () => String(await reasonOf('site')),
      })

      // Refused as a delivery with a wrong secret is; the next listing is an hour away.
      house.forge.deliveries.secret = 'not yet the one that Offshoot knows'
      const pull = await house.repo('shop').openPullRequest()
      await house.forge.deliveries.settled()
      expect(house.forge.deliveries.log.flatMap(({ statuses }) => statuses)).not.toContain(202)
      house.forge.deliveries.secret = undefined
      await house.environment(pull, 'shop').toBeReady(pull.sha, patient)
      const asked = sumOf(await readMetrics(house.offshoot.metricsUrl), 'offshoot_webhook_redeliveries_total', {
        webhook: 'app',
        outcome: 'asked',
      })
      expect(asked).toBeGreaterThan(0)
      expect(house.offshoot.log.join('\n')).toContain('has every permission and event it needs')
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }, 180_000)
})
