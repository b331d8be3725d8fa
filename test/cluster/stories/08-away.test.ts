import { describe, expect, it } from 'vitest'
import { startControlPlane } from '../../harness/control-plane/control-plane.ts'
import { installCrds } from '../../harness/control-plane/crds.ts'
import { aHouse } from '../../harness/house.ts'
import { type OffshootOptions, startOffshoot } from '../../harness/offshoot.ts'
import { backends } from '../../harness/story-backends.ts'
import { accountKubeconfigFile, clusterOf } from '../../harness/test-cluster.ts'
import { waitFor } from '../../harness/wait.ts'

describe('the API server', { concurrent: true }, () => {
  it('is killed, is away for a while, and comes back: everything goes on', async () => {
    const controlPlane = await startControlPlane()
    const cluster = clusterOf(controlPlane)
    try {
      await installCrds(cluster.admin, ['config/crd', 'test/fixtures/crds'])
      for (const backend of backends.filter(({ kluctl }) => kluctl !== 'real')) {
        await using house = await aHouse()
          .onCluster(cluster)
          .deployingBy(backend)
          .withProject('shop', backend.project())
          .start()
        const repo = house.repo()
        const [stays, closes] = await repo.openPullRequests([{ branch: 'stays' }, { branch: 'closes' }])
        if (!stays || !closes) throw new Error('two were opened')
        await house.environment(stays).toBeReady(stays.sha)
        await house.environment(closes).toBeReady(closes.sha)

        await controlPlane.killApiServer()
        // Taken in, or refused so that the forge delivers again; never lost.
        await repo.close(closes.number)
        const pushed = await repo.pushTo(stays.number, { 'a.txt': 'newer' })
        const opened = await repo.openPullRequest({ branch: 'opened' })
        await house.forge.deliveries.settled()
        await controlPlane.restartApiServer()

        for (const delivery of house.forge.deliveries.log.filter(({ statuses }) => !statuses.includes(202))) {
          await house.forge.deliveries.redeliver(delivery)
        }
        await house.environment(stays).toBeReady(pushed)
        await house.environment(opened).toBeReady(opened.sha)
        await house.environment(closes).toBeGone()
        // Its watches have come back: what happens from now on is seen.
        const later = await repo.pushTo(opened.number, { 'b.txt': 'later' })
        await house.environment(opened).toBeReady(later)
        expect(house.repo().commentsOf(stays.number)).toHaveLength(1)
      }
    } finally {
      await cluster.admin.close()
      await controlPlane.stop()
    }
  })

  it('cuts every watch: what was changed meanwhile is seen', async () => {
    await using house = await aHouse().withApiProxy().withProject('shop').start()
    const pull = await house.repo().openPullRequest()
    await house.environment(pull).toBeReady(pull.sha)
    const mend = house.api.refuse({ path: /[?&]watch=/ })
    house.api.cut()
    const namespace = await house.environment(pull).namespace()
    await house.kube.delete({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'shop' })
    await house.editProject('shop', { feedback: { url: 'https://new.example.com' } })
    mend()
    await house.environment(pull).toMatch(({ status }) => status?.url === 'https://new.example.com', 'at the new URL')
  })
})

describe('a leader', { concurrent: true }, () => {
  it('that loses its Lease stops, another goes on, and nothing is done twice', async () => {
    const settings = { leaseDuration: '4s' }
    await using house = await aHouse()
      .withApiProxy()
      .withOffshoot({ leaderElection: true, settings })
      .withProject('shop')
      .start()
    const repo = house.repo()
    const before = await repo.openPullRequest({ branch: 'before' })
    await house.environment(before).toBeReady(before.sha)
    const options: OffshootOptions = {
      kubeconfig: await accountKubeconfigFile(house.cluster, { namespace: house.system, name: 'offshoot' }),
      namespace: house.system,
      watchNamespaces: [house.namespace],
      leaderElection: true,
      settings,
      waitUntil: 'synced',
    }
    const second = await startOffshoot(options)
    try {
      const post = async (url: string) => (await fetch(`${url}/webhooks/github`, { method: 'POST' })).status
      expect(await post(second.url)).toBe(503)
      const mend = house.api.refuse({ path: /\/leases/ })
      await waitFor(async () => (await post(second.url)) === 401, { deadline: 60_000, describe: 'the second to lead' })
      // The first has stopped by then: it refuses deliveries, so that the forge sends them again.
      expect(await post(house.offshoot.url)).toBe(503)
      for (const hook of repo.hooks) hook.url = hook.url.replace(house.offshoot.url, second.url)
      const after = await repo.openPullRequest({ branch: 'after' })
      await house.environment(after).toBeReady(after.sha)
      mend()
      // The first takes over again when the second ends.
      await second.stop()
      await waitFor(async () => (await post(house.offshoot.url)) === 401, {
        deadline: 60_000,
        describe: 'the first to lead',
      })
      for (const hook of repo.hooks) hook.url = hook.url.replace(second.url, house.offshoot.url)
      await repo.close(before.number)
      await house.environment(before).toBeGone()
      await house.toSay(after, 'is ready')
      expect(repo.commentsOf(after.number)).toHaveLength(1)
      expect(repo.commentsOf(before.number)).toHaveLength(1)
    } finally {
      await second.stop()
    }
  })
})
