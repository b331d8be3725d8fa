import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { configMap, TestProject } from '../engine/harness/project.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'offshoot-profile-'))
})

afterEach(() => rm(folder, { recursive: true }))

const project = () =>
  TestProject.of({
    'deployment.yaml': 'deployments:\n- path: a\n',
    'a/map.yaml': configMap('map', { v: '{{ args.v }}' }),
  })

/** Names of the functions that a profile saw. */
async function seen(file: string): Promise<string[]> {
  const { nodes } = JSON.parse(await readFile(file, 'utf8')) as { nodes: { callFrame: { functionName: string } }[] }
  return nodes.map(({ callFrame }) => callFrame.functionName)
}

it('--cpu-profile writes what took the time, and changes nothing else', async () => {
  await using own = await project()
  const file = join(folder, 'one.cpuprofile')
  const plain = await own.render(['-a', 'v=1'])
  const profiled = await own.render(['-a', 'v=1', '--cpu-profile', file])
  expect([profiled.code, profiled.stdout]).toEqual([0, plain.stdout])
  expect(await seen(file)).toContain('(root)')
  const other = join(folder, 'two.cpuprofile')
  expect(await own.render(['-a', 'v=1'], { KLUCTL_CPU_PROFILE: other })).toMatchObject({ code: 0 })
  expect(await seen(other)).toContain('(root)')
})

it('a command that fails is profiled too', async () => {
  await using own = await project()
  const file = join(folder, 'failed.cpuprofile')
  const failed = await own.render(['--cpu-profile', file])
  expect(failed.code).toBe(1)
  expect(failed.stderr).toContain("no attribute 'v'")
  expect(await seen(file)).toContain('(root)')
})

it('a file that cannot be written is told before anything is done', async () => {
  await using own = await project()
  const failed = await own.render(['-a', 'v=1', '--cpu-profile', join(folder, 'none', 'x.cpuprofile')])
  expect([failed.code, failed.stdout]).toEqual([1, ''])
  expect(failed.stderr).toContain('failed to create cpu profile file: ENOENT')
})

it('takes what kluctl’s flags for its own runtime say, and does nothing about it', async () => {
  await using own = await project()
  const plain = await own.render(['-a', 'v=1'])
  const flags = ['--gops-agent', '--gops-agent-addr', '127.0.0.1:0', '--no-update-check', '--use-system-python']
  expect(await own.render(['-a', 'v=1', ...flags])).toMatchObject({ code: 0, stdout: plain.stdout })
})
