import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { withLock } from '../harness/control-plane/lock.ts'
import { findPrograms } from '../harness/control-plane/programs.ts'
import { waitFor } from '../harness/wait.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'offshoot-harness-'))
  return () => rm(folder, { recursive: true, force: true })
})

async function fill(path: string, names: string[]): Promise<string> {
  await mkdir(path, { recursive: true })
  for (const name of names) await writeFile(join(path, name), '#!/bin/sh\n', { mode: 0o755 })
  return path
}
const all = ['etcd', 'kube-apiserver', 'kube-controller-manager']

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('findPrograms', () => {
  beforeEach(() => {
    vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'))
    vi.stubEnv('KUBEBUILDER_ASSETS', '')
    return () => vi.unstubAllEnvs()
  })

  it('takes KUBEBUILDER_ASSETS only when nothing is missing there', async () => {
    const cache = await fill(join(folder, 'cache/offshoot/control-plane/v1.36.3'), all)
    const assets = await fill(join(folder, 'assets'), ['etcd', 'kube-apiserver', 'kubectl'])
    vi.stubEnv('KUBEBUILDER_ASSETS', assets)
    expect(await findPrograms()).toBe(cache)
    await fill(assets, all)
    expect(await findPrograms()).toBe(assets)
  })

  it('says what to install where there is neither a cache nor Go, and leaves no lock', async () => {
    vi.stubEnv('PATH', folder)
    await expect(findPrograms()).rejects.toThrow(/install Go .* or set KUBEBUILDER_ASSETS/)
    await expect(findPrograms()).rejects.toThrow(/install Go/)
  })

  it('shows what a failed build said, and keeps nothing half built', async () => {
    await writeFile(join(folder, 'go'), '#!/bin/sh\necho "no space left" >&2\nexit 1\n', { mode: 0o755 })
    vi.stubEnv('PATH', `${folder}:${process.env.PATH}`)
    await expect(findPrograms()).rejects.toThrow(/etcd.*exit code 1:\nno space left/)
  })
})

describe('withLock', () => {
  it('lets one in at a time', async () => {
    let inside = 0
    let most = 0
    const work = async () => {
      most = Math.max(most, ++inside)
      await new Promise(setImmediate)
      inside--
    }
    await Promise.all([1, 2, 3].map(() => withLock(join(folder, 'lock'), work)))
    expect(most).toBe(1)
  })

  it('takes over from a process that is gone', async () => {
    const child = spawn(process.execPath, ['-e', ''])
    await once(child, 'exit')
    await writeFile(join(folder, 'lock'), String(child.pid))
    expect(await withLock(join(folder, 'lock'), async () => 'in')).toBe('in')
  })

  it('waits for one that lives, until aborted', async () => {
    await writeFile(join(folder, 'lock'), String(process.pid))
    const waiting = withLock(join(folder, 'lock'), async () => 'in', AbortSignal.timeout(100))
    await expect(waiting).rejects.toThrow(/timeout/)
  })
})

describe('ProcessGroup', () => {
  it('ends its processes and removes its folder when the owner is killed', async () => {
    const group = join(folder, 'group')
    await mkdir(group)
    const module = join(import.meta.dirname, '../harness/control-plane/processes.ts')
    const script = `
      import { ProcessGroup } from ${JSON.stringify(module)}
      const group = new ProcessGroup(${JSON.stringify(group)})
      group.start('sleeper', '/bin/sh', ['-c', 'echo $$ > pid; sleep 1000 & wait'])
      setInterval(() => undefined, 1000)
      console.log('started')`
    const owner = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => void owner.kill('SIGKILL'))
    await once(createInterface({ input: owner.stdout }), 'line')
    const pid = Number(await waitFor(() => readFile(join(group, 'pid'), 'utf8')))
    expect(isAlive(pid)).toBe(true)
    owner.kill('SIGKILL')
    await waitFor(() => !isAlive(pid), { describe: 'the process to end' })
    const gone = () =>
      access(group).then(
        () => false,
        () => true,
      )
    await waitFor(gone, { describe: 'the folder to go' })
  })
})
