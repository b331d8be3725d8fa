import fc from 'fast-check'

/** Plain scalars that people write and that YAML readers disagree about. */
const plain = fc.constantFrom(
  '0',
  '1',
  '-1',
  '12',
  '0755',
  '0o17',
  '0x1F',
  '1_000',
  '1e3',
  '1.5',
  '1.50',
  '-0',
  '-0.0',
  '0.1',
  '.5',
  '5.',
  '+1',
  '12345678',
  '123456789012345',
  '12345678901234567890',
  '1.0',
  '100000000.5',
  '0.000001',
  '190:20:30',
  '0b11',
  'true',
  'True',
  'yes',
  'no',
  'on',
  'off',
  'y',
  'N',
  'null',
  'Null',
  '~',
  '',
  '.inf',
  '.nan',
  'nan',
  'inf',
  '=',
  '2024-02-29',
  '2024-02-29T10:11:12Z',
  '2001-1-1',
  '10.0.0.1',
  '10.0.0.0/8',
  '1.2.3',
  'v1.2',
  '100m',
  '1Gi',
  '5s',
  'e7973912',
  '1e7973912',
  'a: b'.replace(': ', ':'),
  'a#b',
  'key=value',
  '/bin/sh',
  '$(VAR)',
  '*.example.org',
  'https://example.org/x?y=z#w',
  'äöü',
  '日本',
  'a b  c',
  "it's",
  'x"y',
  '-x',
  '- x',
  '?x',
  '%x',
  '@x',
  '`x',
  '<<',
  '<',
  '8080:80',
  '50%',
  '1.5h',
  '1.2.3-rc.1',
  '0.0.0.0',
  '1,2',
  '(a)',
  '^a$',
  '_x',
  'TRUE',
  'FALSE',
  'NULL',
  'Yes',
)

const word = fc.stringMatching(/^[a-z][a-zA-Z0-9]{0,6}$/)
const quoted = fc
  .string({
    unit: fc.constantFrom('a', 'b', ' ', '"', "'", '\\', ':', '#', '-', '\n', '0', 'é', '😀', '{', '%'),
    maxLength: 12,
  })
  .chain(text => fc.constantFrom(JSON.stringify(text), `'${text.replaceAll("'", "''").replaceAll('\n', ' ')}'`))

const blockLine = fc.constantFrom(
  'a',
  'b c',
  '  deeper',
  '# no comment',
  '- x',
  'k: v',
  '',
  '   ',
  'tail ',
  '---x',
  '%d',
)

/** A block scalar with its header; lines are indented by whoever places it. */
const block = fc.record({
  header: fc.constantFrom('|', '|-', '|+', '>', '>-'),
  lines: fc.array(blockLine, { minLength: 1, maxLength: 4 }),
})

export type Value =
  | { is: 'scalar'; text: string }
  | { is: 'block'; header: string; lines: string[] }
  | { is: 'map'; entries: [string, Value][] }
  | { is: 'list'; items: Value[]; indented: boolean }

const scalar = fc
  .oneof({ weight: 2, arbitrary: plain }, { weight: 4, arbitrary: word }, { weight: 3, arbitrary: quoted })
  .map((text): Value => ({ is: 'scalar', text }))
const blocks = block.map((parts): Value => ({ is: 'block', ...parts }))

const value = fc.letrec<{ value: Value }>(tie => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 6, arbitrary: scalar },
    { weight: 2, arbitrary: blocks },
    { weight: 2, arbitrary: map(tie('value')) },
    {
      weight: 2,
      arbitrary: fc
        .record({ items: fc.array(tie('value'), { minLength: 1, maxLength: 3 }), indented: fc.boolean() })
        .map((parts): Value => ({ is: 'list', ...parts })),
    },
  ),
})).value

function map(inner: fc.Arbitrary<Value>): fc.Arbitrary<Value> {
  const key = fc.oneof(
    { weight: 9, arbitrary: word },
    { weight: 1, arbitrary: fc.constantFrom('on', 'y', '1', '"a b"', 'a.b/c') },
  )
  return fc
    .uniqueArray(fc.tuple(key, inner), { selector: ([name]) => name, minLength: 1, maxLength: 4 })
    .map((entries): Value => ({ is: 'map', entries }))
}

/** One manifest as text; `index` makes its name unique in the build. */
export const manifest = fc.record({
  kind: fc.constantFrom(['v1', 'ConfigMap'], ['apps/v1', 'Deployment'], ['v1', 'Secret'], ['example.org/v1', 'Thing']),
  labels: fc.option(
    map(
      fc.oneof(
        word.map((text): Value => ({ is: 'scalar', text })),
        quoted.map((text): Value => ({ is: 'scalar', text })),
      ),
    ),
  ),
  annotations: fc.option(
    fc.oneof(
      map(scalar),
      fc.constant<Value>({ is: 'scalar', text: '' }),
      fc.constant<Value>({ is: 'scalar', text: '{}' }),
    ),
  ),
  namespace: fc.option(fc.constantFrom('a', 'default', '""')),
  comment: fc.option(fc.constantFrom('# a comment', '#', '')),
  body: map(value),
  end: fc.constantFrom('', '\n', '\n\n'),
})

/** The manifest's text. */
export function manifestText(parts: typeof manifest extends fc.Arbitrary<infer T> ? T : never, index: number): string {
  const [apiVersion, kind] = parts.kind
  const lines = [...(parts.comment === null ? [] : [parts.comment]), `apiVersion: ${apiVersion}`, `kind: ${kind}`]
  lines.push('metadata:', `  name: n${index}`)
  if (parts.namespace !== null) lines.push(`  namespace: ${parts.namespace}`)
  if (parts.labels !== null) place('labels', parts.labels, 2, lines)
  if (parts.annotations !== null) place('annotations', parts.annotations, 2, lines)
  place('data', parts.body, 0, lines)
  return `${lines.join('\n')}${parts.end}`
}

function place(key: string, value: Value, indent: number, lines: string[]): void {
  const pad = ' '.repeat(indent)
  if (value.is === 'scalar') lines.push(`${pad}${key}:${value.text === '' ? '' : ` ${value.text}`}`)
  else if (value.is === 'block') {
    lines.push(`${pad}${key}: ${value.header}`)
    for (const line of value.lines) lines.push(line === '' ? '' : `${pad}  ${line}`)
  } else if (value.is === 'map') {
    lines.push(`${pad}${key}:`)
    for (const [name, inner] of value.entries) place(name, inner, indent + 2, lines)
  } else {
    lines.push(`${pad}${key}:`)
    placeItems(value, value.indented ? indent + 2 : indent, lines)
  }
}

function placeItems(list: Extract<Value, { is: 'list' }>, indent: number, lines: string[]): void {
  const pad = ' '.repeat(indent)
  for (const item of list.items) {
    const inner: string[] = []
    if (item.is === 'map') for (const [name, value] of item.entries) place(name, value, indent + 2, inner)
    else if (item.is === 'list') placeItems(item, indent + 2, inner)
    else if (item.is === 'block') {
      inner.push(`${pad}  ${item.header}`, ...item.lines.map(line => (line === '' ? '' : `${pad}  ${line}`)))
    } else inner.push(`${pad}  ${item.text}`)
    lines.push(`${pad}- ${(inner[0] ?? '').slice(indent + 2)}`.trimEnd(), ...inner.slice(1))
  }
}
