import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { run } from '../../../src/cli/program.ts'
import { silentProgress } from '../../../src/engine/host.ts'
import { ResultStore } from '../../../src/engine/result/store.ts'
import type { KubeObject } from '../../../src/kube/types.ts'
import { adminKubeconfig } from '../../harness/cluster.ts'
import { aHouse, type House } from '../../harness/house.ts'
import { recordingIo } from '../../harness/installation.ts'
import { engine } from '../../harness/story-backends.ts'

const signal = AbortSignal.timeout(600_000)
const deadline = { deadline: 120_000 }
type Secret = KubeObject & { data: Record<string, string> }

/** A project like the engine's, with other settings and files. */
function project(settings: Record<string, unknown>, files: Record<string, string>) {
  const { deploy, ...rest } = engine.project({ files })
  const { engine: backend } = deploy as { engine: Record<string, unknown> }
  return { ...rest, deploy: { engine: { ...backend, ...settings } } }
}

function configMap(name: string, data: string, labels = '{}'): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, labels: ${labels}}\ndata: ${data}\n`
}

/** The results in an environment's namespace, as whoever reads kluctl's reads them. */
function resultsIn(house: House, namespace: string) {
  const options = { namespace, keepCommandResults: 9, keepValidateResults: 9, progress: silentProgress }
  const store = new ResultStore(house.kube, options)
  return {
    list: () => store.listCommandResults(signal),
    get: (id: string) => store.getCommandResult(id, signal),
    /** Everything that is stored, unpacked. */
    async text(): Promise<string> {
      const labelSelector = 'kluctl.io/result=true'
      const { items } = await house.kube.list<Secret>(
        { apiVersion: 'v1', kind: 'Secret' },
        { namespace, labelSelector },
      )
      const packed = items.flatMap(({ data }) => Object.values(data).map(text => Buffer.from(text, 'base64')))
      const texts = await Promise.all(packed.map(async bytes => (await promisify(gunzip)(bytes)).toString()))
      return [...items.map(({ metadata }) => JSON.stringify(metadata)), ...texts].join('\n')
    },
  }
}

describe('the results of an environment’s deployments', { concurrent: true }, () => {
  it('are kept in its namespace while they tell something, in a bounded number, and go with it', async () => {
    const files = {
      'deploy/app/config.yaml': configMap('config', '{a: "1"}'),
      'deploy/app/extra.yaml': configMap('extra', '{}'),
    }
    await using house = await aHouse()
      .withProject('shop', project({ keepResults: 2 }, files))
      .start()
    const repo = house.repo()
    const pull = await repo.openPullRequest()
    const environment = house.environment(pull)
    const { status } = await environment.toBeReady(pull.sha, deadline)
    const results = resultsIn(house, status?.namespace ?? '')
    const [first] = await results.list()
    expect(first).toMatchObject({
      id: status?.engine?.resultId,
      gitInfo: { commit: pull.sha, subDir: 'deploy' },
      targetKey: { targetName: 'preview', discriminator: status?.discriminators?.[0] },
      newObjects: 2,
      errors: null,
    })
    expect(first?.targetKey.clusterId).toMatch(/^[0-9a-f-]{36}$/)
    expect((await results.get(first?.id ?? ''))?.objects.map(({ ref }) => ref.name)).toEqual(['config', 'extra'])

    const { io, written } = recordingIo()
    await run(['env', 'show', environment.name, '-n', house.namespace, '--kubeconfig', adminKubeconfig()], io)
    expect(written.stdout).toContain(`succeeded: 2 objects, 2 changed, 0 deleted; kept as ${first?.id}`)

    // A deployment that changes nothing leaves nothing.
    const same = await repo.pushTo(pull.number, { 'a.txt': 'a' })
    const unchanged = await environment.toBeReady(same, deadline)
    expect(unchanged.status?.engine?.resultId).toBeUndefined()
    expect((await results.list()).map(({ id }) => id)).toEqual([first?.id])

    // Pruning takes what the project does not have any more, and not the results.
    const changed = await repo.pushTo(pull.number, {
      'deploy/app/config.yaml': configMap('config', '{a: "2"}'),
      'deploy/app/extra.yaml': null,
    })
    const second = (await environment.toBeReady(changed, deadline)).status?.engine?.resultId
    expect(await results.list()).toMatchObject([
      { id: second, changedObjects: 1, deletedObjects: 1 },
      { id: first?.id },
    ])

    // A failure is kept once, however often it is tried again.
    const broken = await repo.pushTo(pull.number, {
      'deploy/app/config.yaml': configMap('config', '{a: "3"}', '{a: "!"}'),
    })
    const failed = await environment.toMatch(
      one => one.status?.engine?.revision === broken && one.status.engine.result === 'failed',
      'failed',
      deadline,
    )
    const [third] = await results.list()
    expect(third).toMatchObject({ id: failed.status?.engine?.resultId, errors: [{ ref: { name: 'config' } }] })
    const again = await environment.toMatch(
      one => (one.status?.engine?.finished ?? '') > (failed.status?.engine?.finished ?? ''),
      'tried again',
      deadline,
    )
    expect(again.status?.engine?.resultId).toBe(third?.id)
    expect((await results.list()).map(({ id }) => id)).toEqual([third?.id, second])

    await repo.close(pull.number)
    await environment.toBeGone(deadline)
    expect(await house.remains()).toEqual([])
    expect(await results.list()).toEqual([])
  }, 300_000)

  it('show no sensitive value, nor do status, comment and log, whether it deploys, changes or fails', async () => {
    const vars = (password: string) =>
      `vars: [{values: {password: "${password}"}, sensitive: true}]\ndeployments: [{path: app}]\n`
    const passwords = ['correct horse battery', 'staple of the second']
    const config = configMap('config', '{url: "pg://u:{{ password }}@db", plain: shown}')
    const files = { 'deploy/deployment.yaml': vars(passwords[0] ?? ''), 'deploy/app/config.yaml': config }
    await using house = await aHouse().withProject('shop', project({}, files)).start()
    const repo = house.repo()
    const pull = await repo.openPullRequest()
    const environment = house.environment(pull)
    const { status } = await environment.toBeReady(pull.sha, deadline)
    const results = resultsIn(house, status?.namespace ?? '')
    const told = async () =>
      [
        await results.text(),
        JSON.stringify((await environment.get())?.status),
        house.comment(pull),
        JSON.stringify(repo.statusesOf((await environment.get())?.spec.revision ?? '')),
        ...(await house.events()),
        ...house.offshoot.log,
      ].join('\n')
    const hidden = async () => {
      const all = await told()
      for (const password of passwords) {
        expect(all).not.toContain(password)
        expect(all).not.toContain(Buffer.from(password).toString('base64'))
      }
      return all
    }
    expect(await environment.find()).toMatchObject({ data: { url: 'pg://u:correct horse battery@db' } })
    expect(await hidden()).toMatch(/plain\W+shown/)

    const changed = await repo.pushTo(pull.number, { 'deploy/deployment.yaml': vars(passwords[1] ?? '') })
    const second = await environment.toBeReady(changed, deadline)
    await hidden()
    const result = await results.get(second.status?.engine?.resultId ?? '')
    expect(result?.objects[0]?.changes).toMatchObject([{ jsonPath: 'data.url', oldValue: '*****', newValue: '*****' }])

    // The API server quotes what it refuses; a template that fails may, too.
    const failures = [
      configMap('config', '{a: b}', '{a: "{{ password }}"}'),
      configMap('config', '{a: "{{ load_template(password) }}"}'),
    ]
    for (const failure of failures) {
      const broken = await repo.pushTo(pull.number, { 'deploy/app/config.yaml': failure })
      const failed = await environment.toMatch(
        one => one.status?.engine?.revision === broken && one.status.engine.result === 'failed',
        'failed',
        deadline,
      )
      expect(failed.status?.engine?.errors?.join()).toContain('*****')
      await house.toSay(pull, '*****')
      await hidden()
    }
  }, 300_000)
})
