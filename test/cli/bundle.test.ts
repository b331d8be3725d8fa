import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { bundle } from '../../src/cli/bundle.ts'

test('what users get holds no syntax that only Node 24 knows', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'offshoot-bundle-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  await bundle(folder)
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.js'))
  expect(files).toContain(join('cli', 'main.js'))
  const modern = files.filter(file => /\bawait using\b/.test(readFileSync(join(folder, file), 'utf8')))
  expect(modern).toEqual([])
})
