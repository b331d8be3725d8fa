import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { StepResult } from '../../demo/screen.ts'
import { waitFor } from '../harness/wait.ts'

const root = join(import.meta.dirname, '../..')
const running = new Set<ChildProcess>()

afterEach(() => {
  for (const child of running) child.kill('SIGKILL')
  running.clear()
})

/** Starts a program in the project's folder, with a folder for temporary files that shows what it leaves behind. */
function start(program: string, args: string[], temporary: string) {
  const env = { ...process.env, TMPDIR: temporary, NO_COLOR: '1' }
  const child = spawn(program, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  const written = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      written[name] += text
    })
  }
  const ended = once(child, 'close').then(([code]) => {
    running.delete(child)
    return code as number | null
  })
  return { child, written, ended }
}

async function withTemporary<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'offshoot-demo-test-'))
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

describe('npm run demo', () => {
  it('shows and verifies every step once, as JSON and nothing else, and leaves nothing behind', async () => {
    await withTemporary(async temporary => {
      const { written, ended } = start(process.execPath, ['demo/main.ts', '--once', '--output', 'json'], temporary)
      expect([await ended, written.stderr]).toEqual([0, ''])
      const steps = JSON.parse(written.stdout) as StepResult[]
      expect(steps.map(({ step, ok }) => [step, ok])).toEqual(
        'cluster forge install serve project open feedback push close nothing-left'
          .split(' ')
          .map(step => [step, true]),
      )
      for (const { milliseconds } of steps) expect(milliseconds).toBeGreaterThanOrEqual(0)
      expect((await readdir(temporary)).filter(name => name.startsWith('offshoot'))).toEqual([])
    })
  }, 60_000)

  it('prints only lines that work, and clears up after Ctrl-C', async () => {
    await withTemporary(async temporary => {
      const demo = start(process.execPath, ['demo/main.ts'], temporary)
      await waitFor(() => demo.written.stdout.includes('Ctrl-C ends the demo'), {
        deadline: 90_000,
        describe: () => `the demo to invite: ${demo.written.stdout}${demo.written.stderr}`,
      })
      const lines = [...demo.written.stdout.matchAll(/^\$ (.+)$/gm)].map(([, line]) => line ?? '')
      expect(lines.length).toBeGreaterThan(8)
      for (const line of lines) {
        const { written, ended } = start('bash', ['-c', line], temporary)
        expect([line, await ended, written.stderr.includes('error')]).toEqual([line, 0, false])
      }
      demo.child.kill('SIGINT')
      expect(await demo.ended).toBe(0)
      expect((await readdir(temporary)).filter(name => name.startsWith('offshoot'))).toEqual([])
    })
  }, 120_000)

  it('refuses flags it does not know, with exit code 2', async () => {
    const { written, ended } = start(process.execPath, ['demo/main.ts', '--twice'], tmpdir())
    expect(await ended).toBe(2)
    expect(written.stderr).toContain('usage: npm run demo')
  })
})
