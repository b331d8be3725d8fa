import { expect, it } from 'vitest'
import { boxTable } from '../../../src/engine/result/table.ts'
import { commandResultText, summaryLine, validateResultText } from '../../../src/engine/result/text.ts'
import type { ResultObject, ValidateResult } from '../../../src/engine/result/types.ts'

const ref = (name: string, kind = 'ConfigMap') => ({ version: 'v1', kind, name, namespace: 'shop' })
const objects: ResultObject[] = [
  { ref: ref('fresh'), new: true },
  {
    ref: ref('web', 'Deployment'),
    changes: [
      { type: 'update', jsonPath: 'spec.replicas', oldValue: 1, newValue: 2, unifiedDiff: '-1\n+2' },
      { type: 'insert', jsonPath: 'metadata.labels["a/b"]', newValue: 'x', unifiedDiff: '+x' },
    ],
  },
  { ref: ref('gone'), deleted: true },
  { ref: ref('migrate', 'Job'), hook: true },
  { ref: { kind: 'ClusterRole', name: 'old' }, orphan: true },
]
const problems = {
  warnings: [{ ref: { kind: '', name: '' }, message: 'no discriminator' }],
  errors: [{ ref: ref('web', 'Deployment'), message: 'first\nsecond' }],
}

it('prints what happened to which object, changes as tables, and problems by object', () => {
  expect(commandResultText({ objects, ...problems }, { width: 62 })).toBe(`
New objects:
  shop/ConfigMap/fresh

Changed objects:
  shop/Deployment/web

Diff for object shop/Deployment/web
+------------------------+-----------------------------------+
| Path                   | Diff                              |
+------------------------+-----------------------------------+
| spec.replicas          | -1                                |
|                        | +2                                |
+------------------------+-----------------------------------+
| metadata.labels["a/b"] | +x                                |
+------------------------+-----------------------------------+

Deleted objects:
  shop/ConfigMap/gone

Applied hooks:
  shop/Job/migrate

Orphan objects:
  ClusterRole/old

Warnings:
  no discriminator

Errors:
  shop/Deployment/web: first
    second
`)
})

it('short output names changed objects without their changes', () => {
  const text = commandResultText({ objects, warnings: [], errors: [] }, { width: 60, short: true })
  expect(text).toContain('Changed objects:\n  shop/Deployment/web\n')
  expect(text).not.toContain('replicas')
})

it('says nothing when nothing happened', () => {
  expect(commandResultText({ objects: [{ ref: ref('a') }], warnings: [], errors: [] }, { width: 80 })).toBe('')
})

it('colours lines by what they say, and the whole of a line that is wrapped', () => {
  const long = `+${'x'.repeat(30)}`
  const changes = [{ type: 'update' as const, jsonPath: 'a', unifiedDiff: `@@ -1 +1 @@\n-y\n${long}\n same` }]
  const paint = (text: string, meaning: string) => `<${meaning}>${text}</>`
  const text = commandResultText(
    { objects: [{ ref: ref('a'), changes }], warnings: [], errors: [] },
    { width: 32, paint },
  )
  expect(text).toContain('| <place>@@ -1 +1 @@</>')
  expect(text).toContain('| <removed>-y</>')
  expect(text.match(/<added>/g)).toHaveLength(2)
  expect(text).toContain('|  same')
})

it('lets nothing from the cluster steer the terminal', () => {
  const evil = '\u001b[2J\u202e'
  const text = commandResultText(
    {
      objects: [{ ref: ref(evil), changes: [{ type: 'insert', jsonPath: evil, unifiedDiff: `+${evil}` }] }],
      warnings: [{ ref: ref(evil), message: evil }],
      errors: [],
    },
    { width: 80 },
  )
  expect(text).not.toContain('\u001b')
  expect(text).not.toContain('\u202e')
})

it('tables keep their width whatever is in them', () => {
  const rows: [string, string][] = [
    ['Path', 'Diff'],
    ['a'.repeat(100), `${'ü😀'.repeat(60)}\n\nend`],
  ]
  const lines = boxTable(rows, 70).trimEnd().split('\n')
  const widths = lines.map(line => [...new Intl.Segmenter().segment(line)].length)
  expect(new Set(widths)).toEqual(new Set([70]))
  expect(lines.join('').match(/a/g)).toHaveLength(101)
  expect(lines.join('').match(/ü/g)).toHaveLength(60)
})

it('sums up in one line', () => {
  expect(summaryLine({ objects, ...problems })).toBe(
    '1 new, 1 changed, 1 deleted, 1 hook, 1 orphan, 1 warning, 1 error',
  )
  expect(summaryLine({ objects: [], warnings: [], errors: [] })).toBe('no changes')
})

it('prints a validation', () => {
  const result = {
    errors: [{ ref: ref('web', 'Deployment'), message: 'readyReplicas field not in status or empty' }],
    warnings: [{ ref: ref('web', 'Deployment'), message: 'slow' }],
    results: [{ ref: ref('web', 'Deployment'), annotation: 'validate-result.kluctl.io/url', message: 'https://web' }],
  } as unknown as ValidateResult
  const text = validateResultText(result, { width: 60 })
  expect(text).toContain('Validation Warnings:\n  shop/Deployment/web: slow\n')
  expect(text).toContain('Validation Errors:\n  shop/Deployment/web: readyReplicas field not in status or empty\n')
  expect(text).toContain('| shop/Deployment/web | https://web')
})
