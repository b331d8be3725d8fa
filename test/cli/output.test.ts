import { describe, expect, it } from 'vitest'
import { age, type Column, printObjects, printTable } from '../../src/cli/output.ts'
import { recordingIo } from '../harness/installation.ts'

const columns: Column<{ name: string; state?: string }>[] = [
  { head: 'NAME', value: row => row.name },
  { head: 'STATE', value: row => row.state, colour: row => (row.state === 'Ready' ? 'green' : undefined) },
]

function table(env: Record<string, string>, isTTY: boolean, rows: { name: string; state?: string }[]) {
  const { io, written } = recordingIo(env)
  printTable({ ...io, stdout: { ...io.stdout, isTTY } }, columns, rows)
  return written.stdout
}

describe('tables', () => {
  it('are as wide as their widest cell, with a dash for what is not known', () => {
    expect(table({}, false, [{ name: 'a🚀', state: 'Ready' }, { name: 'longer' }])).toBe(
      'NAME     STATE\na🚀       Ready\nlonger   -\n',
    )
  })

  it('have colours on a terminal only, and not with NO_COLOR or on a dumb one', () => {
    const rows = [{ name: 'a', state: 'Ready' }]
    expect(table({}, true, rows)).toContain('\x1b[32mReady\x1b[0m')
    for (const [env, isTTY] of [
      [{ NO_COLOR: '1' }, true],
      [{ TERM: 'dumb' }, true],
      [{}, false],
    ] as const) {
      expect(table(env, isTTY, rows)).not.toContain('\x1b')
    }
  })

  it('show what people at the forge wrote without its control characters', () => {
    expect(table({}, true, [{ name: 'a\x1b[2J\rb' }])).toContain('a�[2J�b')
  })
})

describe('data', () => {
  it('leaves managed fields out', () => {
    const { io, written } = recordingIo()
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', managedFields: [{}] } }
    printObjects(io, 'json', [object], [])
    expect(JSON.parse(written.stdout)).toEqual({
      apiVersion: 'v1',
      kind: 'List',
      items: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }],
    })
  })
})

describe('ages', () => {
  it.each([
    [0, '0s'],
    [119, '119s'],
    [120, '2m'],
    [7_200, '2h'],
    [172_800, '2d'],
  ])('%d seconds are %s', (seconds, text) => {
    const now = Date.parse('2026-01-10T00:00:00Z')
    expect(age(new Date(now - seconds * 1000).toISOString(), now)).toBe(text)
  })
})
