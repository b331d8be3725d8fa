import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import type { StepResult } from '../../demo/screen.ts'

const root = join(import.meta.dirname, '../..')

it('npm run demo -- --real shows and verifies every step on a control plane of its own', async () => {
  const args = ['demo/main.ts', '--real', '--once', '--output', 'json']
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, timeout: 110_000 })
  const steps = JSON.parse(stdout) as StepResult[]
  expect(steps.map(({ step, ok }) => [step, ok])).toEqual(
    'cluster forge install serve project open feedback push close nothing-left'.split(' ').map(step => [step, true]),
  )
  expect(steps[0]?.detail).toContain('kube-apiserver')
})
