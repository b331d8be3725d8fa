import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { findCondition, type ReviewEnvironmentStatus } from '../../../src/api/index.ts'
import { run } from '../../../src/cli/program.ts'
import {
  adminKubeconfig,
  createServiceAccount,
  serviceAccountKubeconfigFile,
  uniqueNamespace,
} from '../../harness/cluster.ts'
import { aHouse, type House } from '../../harness/house.ts'
import { recordingIo } from '../../harness/installation.ts'
import { makeDeploymentReady } from '../../harness/kluctl-controller/ready.ts'
import { engine, kluctlRepositoryFiles } from '../../harness/story-backends.ts'
import { waitFor } from '../../harness/wait.ts'

const deadline = { deadline: 120_000 }

/** A clone of the house's repository at a branch, for as long as `work` takes. */
async function inWorkingTree(house: House, branch: string, work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'offshoot-tree-'))
  try {
    await promisify(execFile)('git', ['clone', '-q', '-b', branch, house.repo().url, folder])
    await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const configMap = (name: string, metadata: object = {}) => ({
  [`deploy/app/${name}.yaml`]: JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata } }),
})

/** A ConfigMap that Git does not know of. */
async function write(folder: string, name: string, metadata: object): Promise<void> {
  for (const [path, text] of Object.entries(configMap(name, metadata))) await writeFile(join(folder, path), text)
}

function readyMessage(status: ReviewEnvironmentStatus | undefined): string {
  return findCondition(status?.conditions, 'Ready')?.message ?? ''
}

/** Kubeconfig of somebody who may deploy by hand, with the rights that the built-in role `edit` gives. */
async function developer(house: House, name: string): Promise<string> {
  await createServiceAccount(house.namespace, name, [
    { apiGroups: ['offshoot.dev'], resources: ['reviewprojects'], verbs: ['get'] },
    { apiGroups: ['offshoot.dev'], resources: ['reviewenvironments'], verbs: ['get', 'patch'] },
    { apiGroups: [''], resources: ['serviceaccounts'], verbs: ['impersonate'] },
  ])
  return serviceAccountKubeconfigFile(house.namespace, name)
}

async function offshoot(kubeconfig: string, ...args: string[]) {
  const { io, written } = recordingIo()
  const code = await run([...args, '--kubeconfig', kubeconfig], io)
  return { code, ...written }
}

describe('a developer and an environment', { concurrent: true }, () => {
  it('deploys a working tree by hand, until the next push or until it is resumed', async () => {
    await using house = await aHouse().deployingBy(engine).withProject('shop', engine.project()).start()
    const pull = await house.repo().openPullRequest({ branch: 'search' })
    const environment = house.environment(pull)
    await environment.toBeReady(pull.sha, deadline)
    await inWorkingTree(house, 'search', async folder => {
      const config = join(folder, 'deploy/app/config.yaml')
      const changed = (version: string) =>
        writeFile(
          config,
          `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: config\ndata:\n  version: "${version} of {{ args.environment }}"\n`,
        )
      const hand = (verb: string, ...more: string[]) =>
        offshoot(adminKubeconfig(), 'env', verb, environment.name, '-n', house.namespace, ...more)
      const version = async () =>
        ((await environment.find()) as { data?: { version?: string } } | undefined)?.data?.version
      await changed('mine')

      const diff = await hand('diff', '--project-dir', folder)
      expect([diff.code, diff.stdout]).toEqual([0, expect.stringContaining('+mine of ')])
      expect(await version()).toBe(pull.sha)

      const deployed = await hand('deploy', '--project-dir', folder, '--yes')
      expect([deployed.code, deployed.stderr]).toEqual([0, expect.any(String)])
      expect(await version()).toBe(`mine of ${house.name}-${environment.name}`)
      const marked = await environment.toMatch(
        ({ status }) => findCondition(status?.conditions, 'Ready')?.reason === 'DeployedByHand',
        'deployed by hand',
      )
      expect(findCondition(marked.status?.conditions, 'Ready')?.message).toMatch(/deployed by hand \(.+\)/)
      // Looks of the controller change nothing.
      await house.list()
      await house.settled()
      expect(await version()).toBe(`mine of ${house.name}-${environment.name}`)

      expect(await hand('resume')).toMatchObject({ code: 0 })
      await environment.toMatch(
        ({ status }) => findCondition(status?.conditions, 'Ready')?.reason === 'ObjectsReady',
        'the change again',
        deadline,
      )
      expect(await version()).toBe(pull.sha)

      await changed('again')
      expect(await hand('deploy', '--project-dir', folder, '--yes')).toMatchObject({ code: 0 })
      const pushed = await house.repo().pushTo(pull.number, { 'a.txt': 'newer' })
      await environment.toBeReady(pushed, deadline)
      expect(await version()).toBe(pushed)
    })
  }, 300_000)

  it('makes an environment for a branch, and deploys there what it holds as that environment’s account alone', async () => {
    await using house = await aHouse().deployingBy(engine).withProject('shop', engine.project()).start()
    const sha = await house.repo().push('search', { 'a.txt': 'a' })
    const here = ['-n', house.namespace]
    const created = await offshoot(adminKubeconfig(), 'env', 'create', '-p', 'shop', '-b', 'search', '--wait', ...here)
    expect([created.code, created.stderr]).toEqual([0, expect.any(String)])
    const environment = house.environment({ branch: 'search' })
    await environment.toBeReady(sha, deadline)
    const foreign = await uniqueNamespace('foreign')
    await inWorkingTree(house, 'search', async folder => {
      await write(folder, 'untracked', {})
      const args = ['env', 'deploy', environment.name, ...here, '--project-dir', folder, '--yes']
      const deployed = await offshoot(adminKubeconfig(), ...args)
      expect([deployed.code, deployed.stderr]).toEqual([0, expect.any(String)])
      expect((await environment.find('untracked'))?.metadata.labels).toMatchObject({
        'kluctl.io/discriminator': `preview-${(await environment.get())?.status?.name}`,
      })

      await write(folder, 'elsewhere', { namespace: foreign })
      const refused = await offshoot(adminKubeconfig(), ...args)
      expect(refused.code).toBe(1)
      expect(refused.stdout + refused.stderr).toMatch(new RegExp(`${foreign}/ConfigMap/elsewhere: .*forbidden`))
      const marked = await environment.toBe('Failed', deadline)
      expect(findCondition(marked.status?.conditions, 'Ready')?.message).toContain('did not succeed')
      const key = { apiVersion: 'v1', kind: 'ConfigMap', namespace: foreign, name: 'elsewhere' }
      expect(await house.kube.get(key)).toBeUndefined()
    })
  }, 300_000)

  it('is told of another one, and deploys over nothing without being asked', async () => {
    await using house = await aHouse().deployingBy(engine).withProject('shop', engine.project()).start()
    const pull = await house.repo().openPullRequest({ branch: 'search' })
    const environment = house.environment(pull)
    await environment.toBeReady(pull.sha, deadline)
    const alice = await developer(house, 'alice')
    await inWorkingTree(house, 'search', async folder => {
      const args = ['env', 'deploy', environment.name, '-n', house.namespace, '--project-dir', folder]
      expect(await offshoot(adminKubeconfig(), ...args, '--yes')).toMatchObject({ code: 0 })
      const refused = await offshoot(alice, ...args)
      expect(refused.code).toBe(1)
      expect(refused.stderr).toMatch(/has deployed into this environment by hand since/)
      const over = await offshoot(alice, ...args, '--yes')
      expect([over.code, over.stderr]).toEqual([0, expect.stringContaining('has deployed into this environment')])
    })
  }, 300_000)

  it('is done when all objects are ready, keeps its result, and the controller leaves the environment alone meanwhile', async () => {
    const files = kluctlRepositoryFiles({ deployment: true })
    await using house = await aHouse().deployingBy(engine).withProject('shop', engine.project({ files })).start()
    const pull = await house.repo().openPullRequest({ branch: 'search' })
    const environment = house.environment(pull)
    const ready = async () => makeDeploymentReady(house.kube, await environment.namespace(), 'web')
    // The controller itself still waits, and gives way.
    await environment.toMatch(({ status }) => readyMessage(status).includes('waits until 1 of 2'), 'waiting', deadline)
    await inWorkingTree(house, 'search', async folder => {
      await write(folder, 'mine', {})
      const args = ['env', 'deploy', environment.name, '-n', house.namespace, '--project-dir', folder, '--yes']
      const first = offshoot(adminKubeconfig(), ...args)
      await waitFor(async () => environment.find('mine'), { ...deadline, describe: 'the working tree to be applied' })
      const during = await environment.get()
      expect(findCondition(during?.status?.conditions, 'Ready')?.reason).toBe('DeployingByHand')
      expect(during?.status?.discriminators).toHaveLength(1)

      const bob = await developer(house, 'bob')
      const second = await offshoot(bob, ...args.slice(0, -1))
      expect([second.code, second.stderr]).toEqual([1, expect.stringContaining('has been deploying into this')])
      const third = offshoot(bob, ...args)
      await environment.toMatch(
        ({ status }) => readyMessage(status).includes('system:serviceaccount:'),
        'taken over by bob',
        deadline,
      )
      await ready()
      expect((await first).stderr).toMatch(/serviceaccount:.*:bob deploys into this environment too/)
      expect(await third).toMatchObject({ code: 0, stderr: expect.stringContaining('has been deploying into this') })
      await environment.toBe('Ready', deadline)
      const { items } = await house.kube.list(
        { apiVersion: 'v1', kind: 'Secret' },
        { namespace: await environment.namespace(), labelSelector: 'kluctl.io/command-result-id' },
      )
      expect(items.length).toBeGreaterThan(0)
    })
  }, 300_000)

  it('takes no discriminator of others, and deletes no orphan where something failed', async () => {
    await using house = await aHouse().deployingBy(engine).withProject('shop', engine.project()).start()
    const other = await house.repo().openPullRequest({ branch: 'other' })
    const pull = await house.repo().openPullRequest({ branch: 'search', files: configMap('extra') })
    const environment = house.environment(pull)
    await house.environment(other).toBeReady(other.sha, deadline)
    await environment.toBeReady(pull.sha, deadline)
    const [theirs = ''] = (await house.environment(other).get())?.status?.discriminators ?? []
    await inWorkingTree(house, 'search', async folder => {
      const args = ['env', 'deploy', environment.name, '-n', house.namespace, '--project-dir', folder, '--yes']
      const kluctlYaml = join(folder, 'deploy/.kluctl.yaml')
      const before = await readFile(kluctlYaml, 'utf8')
      await writeFile(kluctlYaml, before.replace(/discriminator: .*/, `discriminator: ${theirs}`))
      await write(folder, 'mine', {})
      const refused = await offshoot(adminKubeconfig(), ...args)
      expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(/belongs to ReviewEnvironment/)])
      expect(await environment.find('mine')).toBeUndefined()
      // It is as if nobody had tried.
      await environment.toMatch(({ status }) => readyMessage(status).includes('are ready'), 'ready again', deadline)

      await writeFile(kluctlYaml, before)
      await rm(join(folder, 'deploy/app/extra.yaml'))
      await write(folder, 'mine', { labels: { '': 'no label' } })
      expect((await offshoot(adminKubeconfig(), ...args)).code).toBe(1)
      expect(await environment.find('extra')).toBeDefined()
      await write(folder, 'mine', {})
      expect(await offshoot(adminKubeconfig(), ...args)).toMatchObject({ code: 0 })
      expect(await environment.find('extra')).toBeUndefined()

      // One of its own is recorded before anything carries it.
      const own = `${environment.name}-by-hand`
      await writeFile(kluctlYaml, before.replace(/discriminator: .*/, `discriminator: ${own}`))
      expect(await offshoot(adminKubeconfig(), ...args)).toMatchObject({ code: 0 })
      expect((await environment.find('mine'))?.metadata.labels).toMatchObject({ 'kluctl.io/discriminator': own })
      expect((await environment.get())?.status?.discriminators).toContain(own)
    })
  }, 300_000)
})
