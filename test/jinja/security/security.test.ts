import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { bombPayloads } from './bombs.ts'
import { escapePayloads } from './escapes.ts'
import type { Verdict } from './worker.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'offshoot-jinja-security-'))
  mkdirSync(join(folder, 'project/a'), { recursive: true })
  mkdirSync(join(folder, 'outside'))
  writeFileSync(join(folder, 'secret'), 'TOPSECRET')
  writeFileSync(join(folder, 'outside/secret'), 'TOPSECRET')
  writeFileSync(join(folder, 'project/self'), "{% include 'self' %}")
  writeFileSync(join(folder, 'project/ping'), "{{ load_template('pong') }}")
  writeFileSync(join(folder, 'project/pong'), "{% include 'ping' %}")
  symlinkSync('../secret', join(folder, 'project/link'))
  symlinkSync('../outside', join(folder, 'project/folder'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

type Message = { start?: string; verdict?: Verdict; done?: boolean }

/** Runs all payloads in a thread with little memory: whatever kills or holds it up is named. */
function runAll(milliseconds: number): Promise<Verdict[]> {
  return new Promise((resolve, reject) => {
    const verdicts: Verdict[] = []
    let current = ''
    const worker = new Worker(new URL('worker.ts', import.meta.url), {
      workerData: { folder },
      resourceLimits: { maxOldGenerationSizeMb: 384, stackSizeMb: 4 },
    })
    const fail = (why: string) => {
      clearTimeout(deadline)
      void worker.terminate()
      reject(new Error(`${why}: ${current.slice(0, 300)}`))
    }
    const deadline = setTimeout(() => fail('held up by'), milliseconds)
    worker.on('message', ({ start, verdict, done }: Message) => {
      if (start !== undefined) current = start
      if (verdict !== undefined) verdicts.push(verdict)
      if (done !== true) return
      clearTimeout(deadline)
      resolve(verdicts)
    })
    worker.on('error', error => fail(`${error.message} by`))
    worker.on('exit', code => fail(`the thread ended with ${code} in`))
  })
}

it('no payload escapes, kills the process or runs on', async () => {
  expect(escapePayloads().length).toBeGreaterThan(1000)
  expect(bombPayloads().length).toBeGreaterThan(400)
  const verdicts = await runAll(300_000)
  expect(verdicts).toHaveLength(escapePayloads().length + bombPayloads().length)
  const bad = verdicts.filter(({ verdict }) => verdict === 'escaped' || verdict === 'foreign error')
  expect(bad.map(one => ({ ...one, payload: one.payload.slice(0, 200) }))).toEqual([])
}, 310_000)
