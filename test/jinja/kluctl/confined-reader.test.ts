import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Environment, TemplateNotFound } from '../../../src/jinja/index.ts'
import { confinedReader, kluctlExtensions } from '../../../src/jinja/kluctl/index.ts'

let base: string
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'offshoot-jinja-'))
  mkdirSync(join(base, 'project/sub'), { recursive: true })
  mkdirSync(join(base, 'outside'))
  writeFileSync(join(base, 'outside/secret'), 'secret')
  writeFileSync(join(base, 'project/a'), 'A')
  writeFileSync(join(base, 'project-b'), 'neighbour')
  symlinkSync('../outside/secret', join(base, 'project/link'))
  symlinkSync('../outside', join(base, 'project/linked-folder'))
  symlinkSync('a', join(base, 'project/good-link'))
  symlinkSync('loop', join(base, 'project/loop'))
})
afterAll(() => rmSync(base, { recursive: true, force: true }))

const reader = () => confinedReader({ within: [join(base, 'project')], maxBytes: 1000 })

it('reads files and links that stay inside', () => {
  expect(String(Buffer.from(reader()(join(base, 'project/a')) ?? []))).toBe('A')
  expect(String(Buffer.from(reader()(join(base, 'project/good-link')) ?? []))).toBe('A')
})

it.each([
  'project/link',
  'project/linked-folder/secret',
  'outside/secret',
  'project/../outside/secret',
  'project-b',
  'project/sub',
  'project/loop',
  'project/none',
  'project',
  'project/a/b',
])('does not read %s', path => {
  expect(reader()(join(base, path))).toBeUndefined()
  expect(reader()(`${base}/${path}`)).toBeUndefined()
})

it('refuses a file over the limit and a device', () => {
  writeFileSync(join(base, 'project/large'), 'x'.repeat(1001))
  expect(() => reader()(join(base, 'project/large'))).toThrow(/1001 bytes/)
  expect(confinedReader({ within: ['/dev'] })('/dev/zero')).toBeUndefined()
})

it('a template cannot include through a link that leaves the project', () => {
  const environment = new Environment(kluctlExtensions({ searchPath: [join(base, 'project')], readFile: reader() }))
  for (const name of ['link', 'linked-folder/secret', '../outside/secret', join(base, 'outside/secret')]) {
    for (const source of [
      `{% include '${name}' %}`,
      `{{ load_template('${name}') }}`,
      `{{ load_base64('${name}') }}`,
    ]) {
      expect(() => environment.fromString(source).render(), source).toThrow(TemplateNotFound)
    }
  }
  expect(environment.fromString("{% include 'good-link' %}").render()).toBe('A')
})
