import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Job } from '../../../src/backend/engine/job-manifest.ts'
import { run } from '../../../src/cli/program.ts'
import { aHouse, type House } from '../../harness/house.ts'
import { recordingIo } from '../../harness/installation.ts'
import { playJobNodes } from '../../harness/job-nodes.ts'
import { engine } from '../../harness/story-backends.ts'
import { waitFor } from '../../harness/wait.ts'

const settings = { runnerImage: 'registry.example.com/offshoot:1.2.3' }

/** A project like the engine's, whose deployments run as Jobs. */
function project() {
  const { deploy, ...rest } = engine.project({ private: true })
  const { engine: backend } = deploy as { engine: Record<string, unknown> }
  return { ...rest, deploy: { engine: { ...backend, runner: 'job' } } }
}

async function jobs({ kube, namespace }: House): Promise<Job[]> {
  return (await kube.list<Job>({ apiVersion: 'batch/v1', kind: 'Job' }, { namespace })).items
}

describe('deployed by Jobs', { concurrent: true }, () => {
  it('a pull request gets an environment, follows its pushes and loses it; no Job is left', async () => {
    await using house = await aHouse().withOffshoot({ settings }).withProject('shop', project()).start()
    await using nodes = playJobNodes(house.cluster, house.namespace)
    const repo = house.repo()
    const pull = await repo.openPullRequest()
    const environment = house.environment(pull)
    const ready = await environment.toBeReady(pull.sha, { deadline: 120_000 })
    expect(await environment.find()).toMatchObject({ data: { version: pull.sha } })
    const [first] = await jobs(house)
    expect(ready.status?.engine?.job).toBe(first?.metadata.name)
    const results = { namespace: ready.status?.namespace ?? '', labelSelector: 'kluctl.io/result=true' }
    const kept = await house.kube.list({ apiVersion: 'v1', kind: 'Secret' }, results)
    const ids = kept.items.map(({ metadata }) => metadata.labels?.['kluctl.io/command-result-id'])
    expect(ids).toEqual([ready.status?.engine?.resultId])
    expect(nodes.log.join('')).toContain('renders the project')

    // A push ends the Job of the commit before it, which had not begun.
    nodes.begin = false
    const second = await repo.pushTo(pull.number, { 'a.txt': 'a' })
    const working = async () => (await jobs(house)).filter(({ status }) => (status?.conditions ?? []).length === 0)
    expect(first?.spec).toMatchObject({
      backoffLimit: 0,
      activeDeadlineSeconds: expect.any(Number),
      template: { spec: { containers: [{ resources: { limits: { cpu: '2', memory: '2Gi' } } }] } },
    })
    const held = await waitFor(async () => (await working())[0], { describe: 'a second Job' })
    const said = `Job ${house.namespace}/${held.metadata.name}`
    await waitFor(async () => JSON.stringify((await environment.get())?.status?.conditions).includes(said), {
      describe: `the status to name ${said}`,
    })
    await house.toSay(pull, 'is being deployed', `kubectl logs -n ${house.namespace} job/${held.metadata.name}`)

    // Offshoot begins anew, and waits for the Job that works.
    await house.offshoot.stop()
    await house.offshoot.start()
    await house.settled()
    expect((await working()).map(({ metadata }) => metadata.uid)).toEqual([held.metadata.uid])

    const third = await repo.pushTo(pull.number, { 'a.txt': 'b' })
    await waitFor(async () => (await working()).every(({ metadata }) => metadata.uid !== held.metadata.uid), {
      describe: 'the Job of the older commit to go',
    })
    nodes.begin = true
    await environment.toBeReady(third, { deadline: 120_000 })
    expect(await environment.find()).toMatchObject({ data: { version: third } })
    expect(nodes.log.join('')).not.toContain(second)

    await repo.close(pull.number)
    await environment.toBeGone({ deadline: 60_000 })
    expect(await house.remains()).toEqual([])
    expect(await jobs(house)).toEqual([])
    const secrets = await house.kube.list({ apiVersion: 'v1', kind: 'Secret' }, { namespace: house.namespace })
    expect(secrets.items.map(({ metadata }) => metadata.name)).toEqual(['shop-forge'])
  })

  it('a project that asks for Jobs is told when the installation has no image for them', async () => {
    await using house = await aHouse().withProject('shop', project()).start()
    const pull = await house.repo().openPullRequest()
    const stalled = () => house.environment(pull).get()
    await waitFor(async () => JSON.stringify((await stalled())?.status?.conditions).includes('--runner-image'), {
      describe: 'the environment to say what is missing',
    })
    expect((await stalled())?.status?.conditions).toContainEqual(
      expect.objectContaining({ type: 'Stalled', status: 'True', reason: 'RunnerMissing' }),
    )
  })

  it('a Job deploys nothing with another discriminator than the recorded one, and says so', async () => {
    await using house = await aHouse().withProject('shop', project()).start()
    const repo = house.repo()
    const pull = await repo.openPullRequest()
    const folder = await mkdtemp(join(tmpdir(), 'offshoot-run-'))
    try {
      const request = {
        mode: 'deploy',
        revision: pull.sha,
        digest: 'd',
        namespace: house.namespace,
        projectNamespace: house.namespace,
        project: 'shop',
        environment: { name: 'shop-pr-1', uid: 'u' },
        discriminator: 'of-somebody-else',
        clusterId: '',
        desired: {
          kind: 'engine',
          source: { url: repo.url, path: 'deploy', ref: { commit: pull.sha }, ownRepository: true },
          target: 'preview',
          args: { environment: 'shop-pr-1', namespace: house.namespace, version: pull.sha },
          images: [],
          prune: true,
          interval: 1,
          readinessTimeout: 1000,
          keepResults: 0,
          allow: { vars: [], urls: [] },
          runner: 'job',
        },
      }
      await writeFile(join(folder, 'request.json'), JSON.stringify(request))
      await writeFile(join(folder, 'credential.json'), JSON.stringify({ token: 'fake-token' }))
      const outcome = join(folder, 'outcome')
      const flags = [`--request=${folder}`, `--outcome=${outcome}`, `--cache-folder=${join(folder, 'cache')}`]
      const { io, written } = recordingIo(process.env)
      expect(await run(['run-environment', ...flags, '--kubeconfig', house.cluster.adminKubeconfig], io)).toBe(1)
      expect(JSON.parse(await readFile(outcome, 'utf8'))).toMatchObject({
        objects: 0,
        errors: [expect.stringContaining('"of-somebody-else" was recorded for it: nothing was deployed')],
      })
      expect(written.stderr).toContain('nothing was deployed')
      expect(written.stderr).not.toContain('fake-token')
      const config = { apiVersion: 'v1', kind: 'ConfigMap', namespace: house.namespace, name: 'config' }
      expect(await house.kube.get(config)).toBeUndefined()
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})
