import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Manifest } from '../../../src/engine/item.ts'
import { diffObjects } from '../../../src/engine/plan/diff.ts'
import { Obfuscator } from '../../../src/engine/plan/obfuscate.ts'
import { refOf } from '../../../src/engine/plan/refs.ts'
import { SensitiveTexts } from '../../../src/engine/plan/sensitive.ts'
import type { JsonObject } from '../../../src/engine/values.ts'

function secret(data?: JsonObject, more: JsonObject = {}): Manifest {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x' }, ...(data === undefined ? {} : { data }), ...more }
}

function masked(before: Manifest, after: Manifest, obfuscator = new Obfuscator()) {
  return obfuscator.changes(refOf(after), diffObjects(before, after))
}

const encode = (text: string) => Buffer.from(text).toString('base64')

describe('Secrets', () => {
  test('a changed value shows that it changed, not what it is', () => {
    expect(masked(secret({ key: encode('one') }), secret({ key: encode('two') }))).toEqual([
      {
        type: 'update',
        jsonPath: 'data.key',
        oldValue: '*****',
        newValue: '*****',
        unifiedDiff: '-***** (obfuscated)\n+***** (obfuscated)',
      },
    ])
  })

  test('new data shows its keys', () => {
    expect(masked(secret(), secret({ key: encode('one'), 'a.b': encode('two') }))).toEqual([
      {
        type: 'insert',
        jsonPath: 'data',
        newValue: { key: '*****', 'a.b': '*****' },
        unifiedDiff: "+a.b: '***** (obfuscated)'\n+key: '***** (obfuscated)'",
      },
    ])
  })

  test('everything else of a Secret is shown', () => {
    const changes = diffObjects(secret({}, { type: 'Opaque' }), secret({}, { type: 'kubernetes.io/tls' }))
    expect(new Obfuscator().changes({ version: 'v1', kind: 'Secret', name: 'x' }, changes)).toEqual(changes)
    const other = { group: 'example.com', version: 'v1', kind: 'Secret', name: 'x' }
    const data = diffObjects(secret({ a: '1' }), secret({ a: '2' }))
    expect(new Obfuscator().changes(other, data)).toEqual(data)
  })

  test('objects keep their keys, and the last applied configuration goes', () => {
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': '{"data":{"a":"b25l"}}', mine: 'x' }
    const object: Manifest = {
      ...secret({ a: encode('one') }, { stringData: { b: 'two' } }),
      metadata: { name: 'x', annotations },
    }
    expect(new Obfuscator().object(object)).toEqual({
      ...secret({ a: encode('*****') }, { stringData: { b: '*****' } }),
      metadata: {
        name: 'x',
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '*****', mine: 'x' },
      },
    })
    expect(object.data).toEqual({ a: encode('one') })
  })

  // Long enough that it does not turn up by chance.
  const secretText = fc.stringMatching(/^[A-Za-z0-9+/]{12,30}$/)
  const secretData = fc.dictionary(fc.constantFrom('a', 'b.c', 'd'), secretText, { maxKeys: 3 })

  test('no value is ever in the changes or the objects', () => {
    fc.assert(
      fc.property(secretData, secretData, fc.constantFrom('data', 'stringData'), (before, after, field) => {
        const [old, fresh] = [secret(undefined, { [field]: before }), secret(undefined, { [field]: after })]
        const shown = JSON.stringify([masked(old, fresh), [old, fresh].map(one => new Obfuscator().object(one))])
        for (const value of [...Object.values(before), ...Object.values(after)]) expect(shown).not.toContain(value)
      }),
    )
  })

  test('as many changes as before, at the same places', () => {
    fc.assert(
      fc.property(secretData, secretData, (before, after) => {
        const changes = diffObjects(secret(before), secret(after))
        const shape = (list: typeof changes) => list.map(({ type, jsonPath }) => [type, jsonPath])
        expect(shape(masked(secret(before), secret(after)))).toEqual(shape(changes))
      }),
    )
  })
})

describe('texts of sensitive variables', () => {
  const texts = new SensitiveTexts([
    { sensitive: true, values: { db: { password: 'correct horse', pin: '4711', on: 'on', list: ['battery staple'] } } },
    { sensitive: false, values: { host: 'db.example.com' } },
  ])
  const obfuscator = new Obfuscator(texts)
  const configMap = (data: JsonObject): Manifest => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'correct horse', labels: { a: '4711' } },
    data,
  })

  test('are hidden wherever they turn up, also within others and encoded; the old value too', () => {
    const before = configMap({ url: 'pg://u:older secret@db.example.com', host: 'a.example.com' })
    const after = configMap({ url: 'pg://u:correct horse@db.example.com', host: 'db.example.com', on: 'on' })
    expect(masked(before, after, obfuscator)).toMatchObject([
      { jsonPath: 'data.host', oldValue: 'a.example.com', newValue: 'db.example.com' },
      { jsonPath: 'data.on', newValue: 'on' },
      {
        jsonPath: 'data.url',
        oldValue: '*****',
        newValue: '*****',
        unifiedDiff: expect.not.stringContaining('secret'),
      },
    ])
    expect(obfuscator.object(configMap({ a: '4711', b: '47112', c: encode('battery staple'), d: 'on' }))).toEqual({
      ...configMap({ a: '*****', b: '47112', c: '*****', d: 'on' }),
      metadata: { name: 'correct horse', labels: { a: '*****' } },
    })
  })

  test('hide what stands in their place in other versions of the object', () => {
    const list = (...args: string[]): Manifest => ({ ...configMap({ url: args[0] ?? '' }), spec: { args } })
    const [before, after] = [list('older secret', 'plain'), list('plain', 'correct horse')]
    const shown = obfuscator.object(before, [before, after])
    expect(shown).toMatchObject({ spec: { args: ['*****', '*****'] }, data: { url: 'older secret' } })
    expect(obfuscator.object(after, [before, after])).toMatchObject({ data: { url: 'plain' } })
  })

  test('are hidden in messages', () => {
    const ref = { kind: 'ConfigMap', name: 'x' }
    expect(obfuscator.problems([{ ref, message: 'Invalid value: "correct horse"' }])).toEqual([
      { ref, message: 'Invalid value: "*****"' },
    ])
  })

  test('are hidden as messages quote them, line by line, and before shorter ones that they begin with', () => {
    const key = `-----BEGIN KEY-----\n${'A'.repeat(20)}\n${'B'.repeat(20)}\n`
    const hidden = new Obfuscator(
      new SensitiveTexts([{ sensitive: true, values: [key, 'say "hello"', 'abcdefgh', 'abcdefghijkl'] }]),
    )
    const indented = configMap({ config: `key: |\n  ${key.replaceAll('\n', '\n  ')}` })
    expect(JSON.stringify(hidden.object(indented))).not.toMatch(/AAAA|BBBB/)
    expect(hidden.text(`Invalid value: ${JSON.stringify(key)}`)).not.toMatch(/AAAA|BBBB/)
    expect(hidden.text('Invalid value: "say \\"hello\\""')).toBe('Invalid value: "*****"')
    expect(hidden.text('got abcdefghijkl')).toBe('got *****')
  })

  test('hide the same in another process, and everything when there are too many to look for', () => {
    const there = new Obfuscator(SensitiveTexts.from(texts.told))
    expect(there.text('Invalid value: "correct horse"')).toBe('Invalid value: "*****"')
    const many = new SensitiveTexts([
      { sensitive: true, values: Array.from({ length: 5_000 }, (_, i) => `secret number ${i}`) },
    ])
    expect(many.told).toBe('all')
    const all = new Obfuscator(SensitiveTexts.from(many.told))
    expect([all.text('secret number 7'), all.text('anything')]).toEqual(['*****', '*****'])
    expect(all.object(configMap({ a: 'b' }))).toMatchObject({ kind: 'ConfigMap', data: { a: '*****' } })
  })

  test('objects without any are passed on as they are', () => {
    const object = configMap({ a: 'b' })
    const plain = { ...object, metadata: { name: 'x' } }
    expect(obfuscator.object(plain)).toBe(plain)
  })
})
