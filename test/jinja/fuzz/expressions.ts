import fc from 'fast-check'
import type { EncodedMap } from '../oracle/oracle.ts'
import { list } from './list.ts'

/** The variables that generated templates know, of every type that JSON and tags can give. */
export const variables: EncodedMap = {
  i: 7,
  neg: -3,
  zero: 0,
  big: { $py: 'int', v: '123456789012345678901234567890' },
  f: { $py: 'float', v: '2.5' },
  whole: { $py: 'float', v: '4.0' },
  s: 'Hello World',
  empty: '',
  html: '<b class="x">&amp; it\'s</b>',
  safe: { $py: 'markup', v: '<i>ok</i>' },
  uni: 'Größe 日本 😀 ǆ',
  text: 'one two\nthree  four\n\nfive-six',
  digits: '42',
  l: [3, 1, 2],
  words: ['b', 'A', 'c', 'a'],
  mixed: [1, 'x', null, true, { $py: 'float', v: '1.5' }, []],
  nil: null,
  t: true,
  d: { b: 1, a: 2, 'x-y': [1, 2] },
  deep: { a: { b: { c: 'deep' } }, list: [{ n: 1 }, { n: 2 }] },
  rows: [
    { n: 1, g: 'x', v: 'B' },
    { n: 2, g: 'y', v: 'a' },
    { n: 3, g: 'x', v: 'b' },
  ],
  pairs: [
    { $py: 'tuple', v: ['k', 1] },
    { $py: 'tuple', v: ['j', 2] },
  ],
  tup: { $py: 'tuple', v: [1, 'two'] },
}

const known = fc.constantFrom(...Object.keys(variables))
const name = fc.oneof(
  { arbitrary: known, weight: 12 },
  { arbitrary: fc.constantFrom('v1', 'v2', 'item'), weight: 2 },
  { arbitrary: fc.constant('missing'), weight: 1 },
)
const literal = fc.constantFrom(
  ...list(`
    0 ¦ 1 ¦ 2 ¦ -1 ¦ 10 ¦ 1.0 ¦ 0.5 ¦ 1e3 ¦ true ¦ false ¦ none ¦ '' ¦ 'a' ¦ "b c" ¦ '<' ¦ 'é' ¦ [] ¦ {} ¦ () ¦
    '%s-%s' ¦ '{}' ¦ 'a,b' ¦ [1, 2, 3] ¦ ['x', 'y'] ¦ {'a': 1} ¦ (1, 2) ¦ range(3) ¦ {'k': [1, {'z': none}]} ¦
    'x\\ny' ¦ '42' ¦ '1.5' ¦ dict(a=1) ¦ 123456789012 ¦ range(5, 0, -2)
  `),
)
const hashable = fc.constantFrom(...list("i ¦ s ¦ f ¦ t ¦ tup ¦ v1 ¦ 'x' ¦ 1 ¦ 1.0 ¦ none ¦ rows ¦ missing ¦ (1, 2)"))
const attribute = fc.constantFrom('a', 'b', 'n', 'list', 'foo', '0', 'c', 'real', 'x', 'name')
const filterCalls = list(`
    abs ¦ capitalize ¦ count ¦ dictsort ¦ e ¦ escape ¦ filesizeformat ¦ first ¦ float ¦ forceescape ¦ int ¦
    items|list ¦ join ¦ join(', ') ¦ last ¦ length ¦ list ¦ lower ¦ max ¦ min ¦ pprint ¦ reverse|list ¦ round ¦
    round(1) ¦ round(method='floor') ¦ safe ¦ sort ¦ sort(reverse=true) ¦ string ¦ striptags ¦ sum ¦ title ¦
    tojson ¦ trim ¦ truncate(7) ¦ truncate(5, true, '..') ¦ unique|list ¦ upper ¦ urlencode ¦ urlize ¦ wordcount ¦
    wordwrap(5) ¦ xmlattr ¦ default('d') ¦ default('d', true) ¦ batch(2)|list ¦ batch(2, 'f')|list ¦
    slice(2)|list ¦ indent(2) ¦ indent(2, true) ¦ replace('a', 'b') ¦ replace('', '-', 2) ¦ attr('n') ¦
    center(9) ¦ map(attribute='n')|list ¦ map('upper')|list ¦ map('int')|list ¦ map('length')|list ¦
    map(attribute='a.b')|list ¦ select|list ¦ reject('odd')|list ¦ select('string')|list ¦ selectattr('n')|list ¦
    rejectattr('n', 'gt', 1)|list ¦ groupby('g') ¦ groupby('g')|map('last')|list ¦ sum(attribute='n') ¦
    sort(attribute='v') ¦ sort(case_sensitive=true) ¦ max(attribute='n') ¦ unique(attribute='g')|list ¦
    join('-', attribute='n') ¦ format('x') ¦ format(1, 2) ¦ to_json ¦ int(5) ¦ int(base=16) ¦ float(0.5) ¦
    trim('ab') ¦ reverse ¦ list|length ¦ tojson(indent=2) ¦ to_yaml ¦
    sort(attribute='n', reverse=true) ¦ dictsort(by='value') ¦ dictsort(true, 'key', true) ¦
    indent('> ', true, true) ¦ wordwrap(4, false) ¦ truncate(3, leeway=0) ¦ round(-1) ¦ default(none) ¦
    list|length ¦ string|length ¦ b64encode
  `)
const testCalls = list(`
    defined ¦ undefined ¦ none ¦ boolean ¦ string ¦ number ¦ integer ¦ float ¦ mapping ¦ sequence ¦ iterable ¦
    callable ¦ odd ¦ even ¦ lower ¦ upper ¦ escaped ¦ true ¦ false ¦ divisibleby 2 ¦ divisibleby(3) ¦ eq 1 ¦
    in [1, 'a'] ¦ gt 1 ¦ lt 2 ¦ sameas none ¦ ne 0 ¦ ge 1 ¦ in 'abc' ¦ filter ¦ test ¦ equalto none
  `)
const methodCalls = list(`
    upper() ¦ lower() ¦ title() ¦ strip() ¦ split() ¦ split(',') ¦ split(' ', 1) ¦ splitlines() ¦
    replace('o', '0') ¦ startswith('H') ¦ endswith(('d', 'x')) ¦ find('o') ¦ index('l') ¦ count('l') ¦
    join(['a', 'b']) ¦ capitalize() ¦ swapcase() ¦ isdigit() ¦ isalpha() ¦ zfill(5) ¦ center(15, '*') ¦
    ljust(12) ¦ partition(' ') ¦ items()|list ¦ rsplit(' ', 1) ¦ keys()|list ¦ values()|list ¦ get('a') ¦
    get('zz', 5) ¦ copy() ¦ pop() ¦ index(1) ¦ count(1) ¦ append(9) ¦ extend([8]) ¦ insert(0, 7) ¦ sort() ¦
    reverse() ¦ update({'q': 1}) ¦ setdefault('a', 9) ¦ format(1, a=2) ¦ rpartition('o') ¦ expandtabs() ¦
    removeprefix('He') ¦ casefold() ¦ istitle() ¦ is_integer() ¦ bit_length() ¦ foo() ¦ lstrip('H') ¦
    rindex('o') ¦ isalnum() ¦ pop('a') ¦ popitem() ¦ clear() ¦ remove(1) ¦ isspace()
  `)
const binary = fc.constantFrom(
  ...list(`+ ¦ - ¦ * ¦ / ¦ // ¦ % ¦ ~ ¦ and ¦ or ¦ == ¦ != ¦ < ¦ > ¦ <= ¦ >= ¦ in ¦ not in`),
)
const key = fc.constantFrom(...list("0 ¦ -1 ¦ 1 ¦ 5 ¦ 'a' ¦ 'x-y' ¦ none ¦ 'n' ¦ 1.0 ¦ i"))
/** Only of variables: of a constant, Jinja2 sometimes gives an undefined value and sometimes Python's error. */
const part = fc.constantFrom(...list('1: ¦ :2 ¦ ::-1 ¦ -2: ¦ 1:3 ¦ ::2 ¦ none:i'))

/** Source of an expression; nested at most a few levels. */
export const expression: fc.Arbitrary<string> = fc.letrec<{ any: string; atom: string }>(tie => ({
  atom: fc.oneof(
    { arbitrary: name, weight: 12 },
    { arbitrary: literal, weight: 8 },
    {
      arbitrary: fc.constantFrom('loop', 'self.x', 'caller', 'varargs', 'm'),
      weight: 1,
    },
  ),
  any: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'expression', depthSize: 'small' },
    { arbitrary: tie('atom'), weight: 5 },
    { arbitrary: fc.tuple(tie('any'), fc.constantFrom(...filterCalls)).map(([x, f]) => `(${x})|${f}`), weight: 6 },
    { arbitrary: fc.tuple(tie('atom'), fc.constantFrom(...filterCalls)).map(([x, f]) => `${x}|${f}`), weight: 4 },
    { arbitrary: fc.tuple(tie('any'), binary, tie('any')).map(([a, o, b]) => `${a} ${o} ${b}`), weight: 4 },
    { arbitrary: fc.tuple(tie('any'), binary, tie('any')).map(([a, o, b]) => `(${a}) ${o} (${b})`), weight: 2 },
    { arbitrary: fc.tuple(tie('any'), fc.constantFrom(...testCalls)).map(([x, t]) => `${x} is ${t}`), weight: 2 },
    { arbitrary: fc.tuple(tie('atom'), fc.constantFrom(...testCalls)).map(([x, t]) => `${x} is not ${t}`), weight: 1 },
    { arbitrary: fc.tuple(name, fc.constantFrom(...methodCalls)).map(([x, m]) => `${x}.${m}`), weight: 3 },
    { arbitrary: fc.tuple(tie('any'), fc.constantFrom(...methodCalls)).map(([x, m]) => `(${x}).${m}`), weight: 2 },
    { arbitrary: fc.tuple(name, attribute).map(([x, a]) => `${x}.${a}`), weight: 2 },
    { arbitrary: fc.tuple(tie('any'), key).map(([x, k]) => `(${x})[${k}]`), weight: 2 },
    { arbitrary: fc.tuple(name, fc.oneof(key, part)).map(([x, k]) => `${x}[${k}]`), weight: 2 },
    { arbitrary: fc.tuple(tie('any'), tie('any'), tie('any')).map(([a, c, b]) => `${a} if ${c} else ${b}`), weight: 1 },
    { arbitrary: fc.tuple(tie('any'), tie('any')).map(([a, c]) => `(${a} if ${c})`), weight: 1 },
    { arbitrary: fc.tuple(fc.constantFrom('not ', '-', '+'), tie('any')).map(([o, x]) => `${o}${x}`), weight: 1 },
    { arbitrary: fc.array(tie('any'), { maxLength: 3 }).map(xs => `[${xs.join(', ')}]`), weight: 1 },
    { arbitrary: fc.tuple(tie('any'), tie('any')).map(([a, b]) => `(${a}, ${b})`), weight: 1 },
    { arbitrary: fc.tuple(hashable, tie('any')).map(([k, v]) => `{'k': ${v}, ${k}: 1}`), weight: 1 },
    { arbitrary: fc.tuple(tie('any'), tie('any'), tie('any')).map(([a, b, c]) => `${a} < ${b} <= ${c}`), weight: 1 },
  ),
})).any
