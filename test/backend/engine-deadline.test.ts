import { expect, test } from 'vitest'
import { type DeployerOptions, engineDeployer } from '../../src/backend/engine/carry-out.ts'
import type { RunControls } from '../../src/backend/engine/runs.ts'
import type { EngineRequest } from '../../src/backend/engine.ts'
import { FakeClock } from '../controller/fake-clock.ts'

const minute = 60_000

/** A deployment that hangs for as long as nobody ends it. */
function hanging(clock: FakeClock, signal: AbortSignal) {
  const pin = (_source: unknown, _credential: unknown, inner: AbortSignal) =>
    new Promise((_, reject) => {
      if (inner.aborted) reject(inner.reason)
      inner.addEventListener('abort', () => reject(inner.reason))
    })
  const options = { clock, random: () => 0, sources: { pin } } as unknown as DeployerOptions
  const desired = { images: [], readinessTimeout: 5 * minute }
  const request = { desired, mode: 'deploy', credential: async () => undefined } as unknown as EngineRequest
  const controls = { step: () => undefined, claim: async () => undefined } as unknown as RunControls
  return engineDeployer(options)(request, signal, controls)
}

test('a deployment that hangs ends with an error, later than its objects may take to be ready', async () => {
  const clock = new FakeClock()
  let end: unknown
  const run = hanging(clock, new AbortController().signal).catch((error: unknown) => {
    end = error
  })
  await clock.advance(10 * minute)
  expect(end).toBeUndefined()
  await clock.advance(60 * minute)
  await run
  expect(String(end)).toContain('not finished within 2400 s')
})

test('one that is ended from outside ends with that reason', async () => {
  const stop = new AbortController()
  const run = hanging(new FakeClock(), stop.signal)
  stop.abort(new Error('a newer deployment takes its place'))
  await expect(run).rejects.toThrow('a newer deployment takes its place')
})
