import { randomBytes } from 'node:crypto'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../src/kube/types.ts'
import { serviceAccountKubeconfigFile, waitFor } from '../harness/cluster.ts'
import { aHouse } from '../harness/house.ts'
import { startOffshoot } from '../harness/offshoot.ts'
import { signed } from '../server/harness.ts'

const gone = { deadline: 60_000 }

describe('offshoot serve', () => {
  it('gives a pull request its environment and takes it away', async () => {
    await using house = await aHouse().withProject('shop').start()
    const pull = await house.repo().openPullRequest({ title: 'Add search' })
    const { status } = await house.environment(pull).toBeReady(pull.sha)
    const key = { apiVersion: 'v1', kind: 'ConfigMap', namespace: status?.namespace ?? '', name: 'shop' }
    expect(await house.kube.get<KubeObject>(key)).toMatchObject({ data: { sha: pull.sha } })
    const pushed = await house.repo().pushTo(pull.number, { 'a.txt': 'a' })
    await house.environment(pull).toBeReady(pushed)
    await house.repo().close(pull.number)
    await house.environment(pull).toBeGone(gone)
    expect(await house.environmentNamespaces()).toEqual([])
  })

  it('loses nothing when it is killed right after a 202', async () => {
    await using house = await aHouse().withProject('shop').withOffshoot({ mode: 'childProcess' }).start()
    const first = await house.repo().openPullRequest()
    await house.environment(first).toBeReady()
    house.forge.deliveries.hold()
    const second = await house.repo().openPullRequest()
    await house.repo().close(first.number)
    await house.forge.deliveries.release()
    const answers = house.forge.deliveries.log.slice(-2).map(({ statuses }) => statuses)
    await house.offshoot.kill()
    expect(answers).toEqual([[202], [202]])
    await house.offshoot.start()
    await house.environment(second).toBeReady(second.sha)
    await house.environment(first).toBeGone(gone)
  })

  it('answers 503 while another replica leads, and takes over when that one ends', async () => {
    await using house = await aHouse().withProject('shop').withOffshoot({ leaderElection: true }).start()
    const system = `${house.name}-system`
    const second = await startOffshoot({
      kubeconfig: await serviceAccountKubeconfigFile(system, 'offshoot'),
      namespace: system,
      watchNamespaces: [house.namespace],
      leaderElection: true,
      waitUntil: 'synced',
    })
    try {
      const post = async () => (await fetch(`${second.url}/webhooks/github`, { method: 'POST' })).status
      expect(await post()).toBe(503)
      await house.offshoot.stop()
      await waitFor(async () => (await post()) === 401, { describe: 'the second replica to lead' })
      // What this webhook of the first replica does not reach, the next delivery to the second one makes up for.
      const pull = await house.repo().openPullRequest()
      for (const hook of house.repo().hooks) hook.url = hook.url.replace(house.offshoot.url, second.url)
      await house.repo().retitle(pull.number, 'Again')
      await house.environment(pull).toBeReady(pull.sha)
    } finally {
      await second.stop()
    }
  })

  it('takes deliveries for the whole installation, and a new secret while it runs', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'offshoot-secret-')), 'secrets')
    const secrets = ['a', 'b'].map(() => randomBytes(8).toString('hex')) as [string, string]
    await writeFile(file, secrets[0])
    await using house = await aHouse().withProject('shop').withOffshoot({ webhookSecretFile: file }).start()
    const deliver = async (secret: string) => {
      const body = JSON.stringify({ zen: 'Keep it logically awesome.' })
      const init = { method: 'POST', headers: signed(body, secret, 'ping'), body }
      return (await fetch(`${house.offshoot.url}/webhooks/github`, init)).status
    }
    expect([await deliver(secrets[0]), await deliver(secrets[1])]).toEqual([202, 401])
    await writeFile(file, secrets.join('\n'))
    await waitFor(async () => (await deliver(secrets[1])) === 202, { describe: 'the new secret to count' })
    expect(await deliver(secrets[0])).toBe(202)
  })

  it('is measured, and ready once it holds everything', async () => {
    await using house = await aHouse().withProject('shop').start()
    const pull = await house.repo().openPullRequest()
    await house.environment(pull).toBeReady()
    expect((await fetch(`${house.offshoot.metricsUrl}/readyz`)).status).toBe(200)
    const metrics = await (await fetch(`${house.offshoot.metricsUrl}/metrics`)).text()
    expect(metrics).toMatch(/offshoot_environments\{state="Ready"\} 1/)
    expect(metrics).toMatch(
      /offshoot_forge_request_seconds_count\{method="GET",route="[^"]*pulls[^"]*",status="200"\} \d/,
    )
    expect(metrics).not.toContain(house.name)
  })

  it('writes no secret to its log', async () => {
    await using house = await aHouse().withProject('shop').start()
    const pull = await house.repo().openPullRequest()
    await house.environment(pull).toBeReady()
    const secret = house.repo().hooks[0]?.secret ?? ''
    const log = house.offshoot.log.join('\n')
    expect(log).toContain('delivery accepted')
    expect(log).not.toContain('fake-token')
    expect(log).not.toContain(secret)
  })
})
