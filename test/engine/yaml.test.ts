import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import type { Json } from '../../src/engine/values.ts'
import { AliasShare } from '../../src/engine/yaml/alias-share.ts'
import { formatFloat32, parseYaml, readYaml, readYamlAll, writeYaml, writeYamlAll } from '../../src/engine/yaml.ts'

const plain = (value: unknown) =>
  JSON.parse(JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? `big:${v}` : (v as unknown)))) as unknown

describe('reading, as Go reads YAML 1.1', () => {
  test.each([
    ['y', true],
    ['No', false],
    ['on', true],
    ['~', null],
    ['', null],
    ['0755', 493],
    ['0o17', 15],
    ['08', 8],
    ['1_000', 1000],
    ['0b11', 3],
    ['-0x1f', -31],
    ['1.50', 1.5],
    ['1e3', 1000],
    ['.5', 0.5],
    ['1e308', 1e308],
    ['1e400', '1e400'],
    ['-1e400', '-1e400'],
    ['.', '.'],
    ['1:30', '1:30'],
    ['e7973912', 'e7973912'],
    ['2024-02-29', '2024-02-29'],
    ['1.2.3', '1.2.3'],
    ['+1', 1],
    ['"y"', 'y'],
    ['!!str y', 'y'],
    ['!custom y', 'y'],
    ['18446744073709551615', 18446744073709551615n],
    ['18446744073709551616', 18446744073709552000],
  ])('%s', (text, value) => expect(readYaml(text)).toBe(value))

  test('keys become strings', () => {
    expect(plain(readYaml('{y: 1, 2: a, 1.5: b, "n": c}'))).toEqual({ true: 1, '2': 'a', '1.5': 'b', n: 'c' })
  })

  test.each([
    ['a: 1\nb: 2\na: 3', 'yaml: line 3: key "a" already set in map'],
    ['x: &x {a: 1}\ny:\n  <<: *x\n  a: 2', 'key "a" already set in map'],
    ['[a]: 1', 'invalid map key'],
    ['a: *nope', "unknown anchor 'nope' referenced"],
    ['a: &a [*a]', "anchor 'a' value contains itself"],
    ['a: [1, 2', 'yaml: line 1'],
    ['a: "x', 'yaml: line'],
    ['!!int x', 'cannot decode'],
  ])('refuses %j', (text, message) => expect(() => readYaml(text)).toThrow(message))

  test('an alias bomb is refused', () => {
    const bomb = ['a0: &a0 [x,x,x,x,x,x,x,x,x]']
    for (let i = 1; i < 9; i++)
      bomb.push(
        `a${i}: &a${i} [${Array(9)
          .fill(`*a${i - 1}`)
          .join(',')}]`,
      )
    expect(() => readYaml(bomb.join('\n'))).toThrow('excessive aliasing')
  })

  test('what aliases may bring is a share: bombs end after thousands of nodes, large documents never', () => {
    const bomb = new AliasShare()
    let read = 0
    while (!bomb.isTooMuch(read > 50)) read++
    expect(read).toBeLessThan(10_000)
    const large = new AliasShare()
    for (let at = 0; at < 5_000_000; at++) if (large.isTooMuch(at % 20 === 0)) throw new Error(`given up at ${at}`)
  })

  test.each(['.inf', '-.inf', '.nan', '!!float .inf'])('%s is refused: JSON has no such number', text => {
    expect(() => readYaml(`a: ${text}`)).toThrow('json: unsupported value')
  })

  test('merge keys bring what they name', () => {
    expect(plain(readYaml('x: &x {a: 1}\nz: {<<: *x, b: 2}'))).toEqual({ x: { a: 1 }, z: { a: 1, b: 2 } })
  })

  test('only the first document counts, and all of them where asked', () => {
    expect(plain(readYaml('---\na: 1\n---\n[broken'))).toEqual({ a: 1 })
    expect(plain(readYamlAll('---\na: 1\n---\n---\n# nothing\n---\nb: 2\n'))).toEqual([{ a: 1 }, { b: 2 }])
  })

  test('__proto__ is a key like any other', () => {
    const value = readYaml('__proto__: {a: 1}') as Record<string, Json>
    expect(Object.keys(value)).toEqual(['__proto__'])
    expect(({} as Record<string, unknown>).a).toBeUndefined()
  })

  test('a block scalar that ends with the text keeps no line break', () => {
    expect(plain(readYaml('a: |\n  x\n  y'))).toEqual({ a: 'x\ny' })
    expect(plain(readYaml('a: |\n  x\n  y\n'))).toEqual({ a: 'x\ny\n' })
  })

  test('places are known, also of what is missing', () => {
    const text = parseYaml('a:\n  - b: 1\n    c: 2\n')
    expect(text.position(['a', 0, 'c'])).toEqual({ line: 3, column: 8 })
    expect(text.position(['a', 0, 'zzz'])).toEqual({ line: 2, column: 5 })
  })
})

test.each([
  [1.5, '1.5'],
  [0.1, '0.1'],
  [3.2415926535, '3.2415927'],
  [1e6, '1e+06'],
  [123456.5, '123456.5'],
  [1e-7, '1e-07'],
  [100000, '100000'],
])('a float becomes the string Go makes of it: %d', (value, text) => expect(formatFloat32(value)).toBe(text))

describe('writing', () => {
  test('sorted keys, lists under their keys, ambiguous strings quoted', () => {
    expect(writeYaml({ b: ['y', { d: 1, c: null }], a: 'x: y', e: [], f: {}, g: '0755', h: 'a\nb\n' })).toBe(
      'a: \'x: y\'\nb:\n- "y"\n- c: null\n  d: 1\ne: []\nf: {}\ng: "0755"\nh: |\n  a\n  b\n',
    )
    expect(writeYaml(['1,2', '1,000.5', '1_000', '1e3'])).toBe('- 1,2\n- 1,000.5\n- "1_000"\n- "1e3"\n')
    expect(writeYamlAll([])).toBe('')
    expect(writeYamlAll([{ a: 1 }, { b: 2 }])).toBe('a: 1\n---\nb: 2\n')
  })

  test.each([
    [1234567.5, '1.2345675e+06'],
    [123456.5, '123456.5'],
    [1e6, '1000000'],
    [0.00001, '1e-05'],
    [0.00012, '0.00012'],
    [-1234567.5, '-1.2345675e+06'],
    [1e20, '1e+20'],
    [1.5e300, '1.5e+300'],
    [5e-324, '5e-324'],
    [2 ** 64, '1.8446744073709552e+19'],
    [-9.3e18, '-9.3e+18'],
    [1e19, '10000000000000000000'],
    [18446744073709551615n as unknown as number, '18446744073709551615'],
    [-0, '0'],
  ])('numbers as Go writes them: %s', (value, text) => expect(writeYaml(value)).toBe(`${text}\n`))

  test('keys in the order of numbers in them, as Go writes them', () => {
    const keys = ['k10', 'k9', 'k', 'a1b', 'a-b', 'ab', 'a.b', 'B', 'a', '_x', '1', 'k09', 'k1a', 'k1-', 'x y', 'xy']
    const text = writeYaml(Object.fromEntries(keys.map(key => [key, 'v'])))
    const order = text.split('\n').map(line => line.replace(/: v$/, ''))
    expect(order.join(' ')).toBe('_x "1" B a a-b a.b a1b ab k k1- k1a k9 k09 k10 x y xy ')
  })

  test('long lines break at single blanks after 80 characters', () => {
    const long = Array.from({ length: 30 }, (_, at) => `w${at}`).join(' ')
    expect(writeYaml({ a: { b: long } })).toBe(
      'a:\n  b: w0 w1 w2 w3 w4 w5 w6 w7 w8 w9 w10 w11 w12 w13 w14 w15 w16 w17 w18 w19 w20 w21\n    w22 w23 w24 w25 w26 w27 w28 w29\n',
    )
    const text = `${'x'.repeat(90)} y: z  ${'x'.repeat(90)} 'q`
    expect(readYaml(writeYaml([text, `${text} `, ` ${text}`]))).toEqual([text, `${text} `, ` ${text}`])
  })

  const piece = fc.oneof(
    fc.constantFrom(
      'y',
      'on',
      '1e3',
      '-',
      '- a',
      'a: b',
      ' a',
      'a\n',
      '\n',
      '\n\n',
      '  \n a',
      '0755',
      '~',
      '#',
      'a #b',
    ),
    fc.constantFrom(
      '|',
      '>',
      '!a',
      '&a',
      '*a',
      '---',
      '--- a',
      '...',
      '"',
      "'",
      '\t',
      'a\tb',
      '1:30',
      '2024-01-01',
      '=',
    ),
    fc.string({ unit: 'grapheme' }),
    fc.string({
      unit: fc.constantFrom(' ', '\n', 'a', '\t', ':', '#', '-', '\r', '\u0085', '\u2028', '\ufeff', '\x07'),
    }),
  )
  const value = fc.letrec(tie => ({
    any: fc.oneof(
      { maxDepth: 4 },
      piece,
      fc.integer(),
      fc
        .double({ noNaN: true, noDefaultInfinity: true, min: -(2 ** 50), max: 2 ** 50 })
        .map(n => (Object.is(n, -0) ? 0 : n)),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('any'), { maxLength: 4 }),
      fc.dictionary(
        piece.filter(key => key !== '__proto__'),
        tie('any'),
        { maxKeys: 4 },
      ),
    ),
  })).any

  test('what is written reads back the same, by our reader and by YAML 1.2', () => {
    fc.assert(
      fc.property(value, data => {
        const text = writeYaml(data as Json)
        expect(plain(readYaml(text))).toEqual(plain(data))
        expect(parse(text)).toEqual(plain(data))
      }),
      { numRuns: 2000 },
    )
  })

  test('no value breaks the stream of documents', () => {
    fc.assert(
      fc.property(fc.array(fc.dictionary(fc.constantFrom('a', 'b'), piece, { minKeys: 1 }), { minLength: 1 }), data => {
        expect(parseAllDocuments(writeYamlAll(data)).map(document => document.toJS() as unknown)).toEqual(data)
      }),
    )
  })
})
