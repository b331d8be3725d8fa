import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { apiVersion, type ReviewEnvironment } from '../../src/api/index.ts'
import { run } from '../../src/cli/program.ts'
import {
  adminClient,
  adminKubeconfig,
  createServiceAccount,
  serviceAccountKubeconfigFile,
  uniqueName,
  uniqueNamespace,
} from '../harness/cluster.ts'
import { aHouse, type House } from '../harness/house.ts'
import { recordingIo } from '../harness/installation.ts'

let house: House

beforeAll(async () => {
  house = await aHouse()
    .withProject('shop', { changes: { pullRequests: { labels: { any: ['preview'] } } } })
    .start()
})

afterAll(() => house.stop())

async function offshoot(...args: string[]) {
  const { io, written } = recordingIo()
  const code = await run([...args, '--kubeconfig', adminKubeconfig()], io)
  return { code, ...written }
}

const here = () => ['-n', house.namespace]

describe('environments by hand', () => {
  it('are created, waited for, shown, listed and deleted', async () => {
    const branch = 'feature/own-one'
    const sha = await house.repo().push(branch, { 'a.txt': 'a' })
    const probe = house.environment({ branch })
    const created = await offshoot('env', 'create', '-p', 'shop', '-b', branch, '--wait', ...here())
    expect([created.code, created.stdout]).toEqual([0, `${probe.name}\n`])
    expect(created.stderr).toContain('Ready')
    expect((await probe.get())?.spec).toMatchObject({ change: { branch }, origin: 'manual', revision: sha })

    const shown = await offshoot('env', 'show', probe.name, ...here())
    expect(shown.stdout).toMatch(new RegExp(`State: +Ready\\n[\\s\\S]*Deployed: +${sha}`))
    const data = await offshoot('env', 'show', probe.name, '-o', 'yaml', ...here())
    expect((parse(data.stdout) as ReviewEnvironment).metadata.name).toBe(probe.name)

    const listed = await offshoot('env', 'list', '-p', 'shop', ...here())
    expect(listed.stdout).toMatch(new RegExp(`^NAME +CHANGE +STATE +URL +AGE\\n${probe.name} .*Ready`))
    const items = JSON.parse((await offshoot('env', 'list', '-o', 'json', ...here())).stdout) as { items: unknown[] }
    expect(items.items).toHaveLength(1)
    expect(JSON.stringify(items)).not.toContain('managedFields')

    const again = await offshoot('env', 'create', '-p', 'shop', '-b', branch, ...here())
    expect([again.code, again.stderr]).toEqual([0, `environment "${probe.name}" exists already\n`])

    const deleted = await offshoot('env', 'delete', probe.name, '--wait', ...here())
    expect([deleted.code, deleted.stdout]).toEqual([0, `${probe.name} is gone\n`])
    await probe.toBeGone()
  })

  it('follow a pull request that the filters leave out', async () => {
    const pull = await house.repo().openPullRequest()
    const created = await offshoot(
      'env',
      'create',
      '-p',
      'shop',
      '--pull-request',
      String(pull.number),
      '--wait',
      ...here(),
    )
    expect(created.code).toBe(0)
    await house.environment(pull).toBeReady(pull.sha)
    await house.repo().close(pull.number)
    await house.environment(pull).toBeGone()
  })
})

describe('answers to what is not there', () => {
  it.each([
    [['env', 'show', 'nothing'], /no environment "nothing"[\s\S]*hint: offshoot env list/],
    [['env', 'delete', 'nothing'], /no environment "nothing"/],
    [['env', 'wait', 'nothing'], /no environment "nothing"/],
    [['env', 'create', '-p', 'nothing', '-b', 'x'], /no project "nothing"[\s\S]*hint: offshoot project list/],
  ])('%j ends with exit code 4', async (args, message) => {
    const { code, stderr, stdout } = await offshoot(...args, ...here())
    expect([code, stdout]).toEqual([4, ''])
    expect(stderr).toMatch(message)
  })

  it('is at once gone what never was', async () => {
    expect((await offshoot('env', 'wait', 'nothing', '--for', 'gone', ...here())).code).toBe(0)
  })

  it('says so when there are none', async () => {
    const namespace = await uniqueNamespace('empty')
    expect((await offshoot('env', 'list', '-n', namespace)).stderr).toBe(`no environments in namespace ${namespace}\n`)
  })
})

describe('waiting', () => {
  it('ends with exit code 3 when the time is up, and tells what was seen', async () => {
    const namespace = await uniqueNamespace('nobody')
    await adminClient().create({
      apiVersion,
      kind: 'ReviewEnvironment',
      metadata: { namespace, name: 'idle' },
      spec: { projectRef: { name: 'shop' }, change: { branch: 'x' } },
    })
    const { code, stderr } = await offshoot('env', 'wait', 'idle', '--timeout', '1s', '-n', namespace)
    expect(code).toBe(3)
    expect(stderr).toMatch(
      /"idle" is not ready after 1 s: the controller has not looked at it\nhint: is offshoot serve running/,
    )
  })

  it('ends at once when waiting cannot help', async () => {
    const name = uniqueName('nowhere')
    const created = await offshoot('env', 'create', '-p', 'shop', '-b', name, '--wait', '--timeout', '30s', ...here())
    expect(created.code).toBe(1)
    expect(created.stderr).toMatch(/error: /)
  })
})

describe('projects', () => {
  it('are listed with their counts', async () => {
    const { stdout } = await offshoot('project', 'list', ...here())
    expect(stdout).toMatch(/^NAME +REPOSITORY +ENVIRONMENTS +READY +WAITING +LISTED +STATUS\nshop +http:\/\/127/)
  })
})

describe('install --apply', () => {
  it('brings everything, and changes nothing the second time', async () => {
    const name = uniqueName('install')
    const args = [
      'install',
      '--apply',
      '--name',
      name,
      '--controller-namespace',
      `${name}-system`,
      '--project-namespace',
      name,
    ]
    const first = await offshoot(...args)
    expect([first.code, first.stderr]).toEqual([0, ''])
    expect(first.stdout).toContain(`Role ${name}/${name}-projects created`)
    const second = await offshoot(...args, '-o', 'json')
    const results = JSON.parse(second.stdout) as { kind: string; name: string; result: string }[]
    expect(results.filter(({ result }) => result !== 'unchanged')).toEqual([])
  })
})

describe('rights', () => {
  it('are named when they are missing', async () => {
    const namespace = await uniqueNamespace('stranger')
    await createServiceAccount(namespace, 'stranger', [])
    const { io, written } = recordingIo()
    const kubeconfig = await serviceAccountKubeconfigFile(namespace, 'stranger')
    expect(await run(['env', 'list', '--kubeconfig', kubeconfig], io)).toBe(1)
    expect(written.stderr).toMatch(/forbidden[\s\S]*hint: ask for the ClusterRole offshoot-viewer/)
  })
})
