import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bundle } from '../../src/cli/bundle.ts'

/** Made once: it takes a second. */
const folder = mkdtempSync(join(tmpdir(), 'offshoot-bundle-'))
beforeAll(() => bundle(folder))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('what users get tells them that their Node is too old', () => {
  const old = `data:text/javascript,Object.defineProperty(process.versions, 'node', { value: '22.19.0' })`
  const { status, stderr } = spawnSync(process.execPath, ['--import', old, join(folder, 'cli/main.js'), 'version'])
  expect([status, stderr.toString()]).toEqual([
    1,
    'error: Offshoot needs Node.js 22.20 or later, and this is 22.19.0\n',
  ])
})

test('what users get holds no syntax that only Node 24 knows', () => {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.js'))
  expect(files).toContain(join('cli', 'main.js'))
  const modern = files.filter(file => /\busing \w+\s*=/.test(readFileSync(join(folder, file), 'utf8')))
  expect(modern).toEqual([])
})
