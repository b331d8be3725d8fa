import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { transliterate } from '../../../src/jinja/kluctl/transliterate.ts'
import { dumpYaml } from '../../../src/jinja/yaml/dump.ts'
import { loadYaml } from '../../../src/jinja/yaml/load.ts'
import { decode } from '../conformance/ours.ts'
import { list } from '../fuzz/list.ts'
import { type Encoded, Oracle } from '../oracle/oracle.ts'

const seed = 20_240_229
let oracle: Oracle
beforeAll(async () => {
  oracle = await Oracle.start()
}, 300_000)
afterAll(async () => {
  await oracle?.close()
})

const blanks = [' ', '  ', '\n', '\n\n', '\t', '\r', 'word ', '- ', ': ', ' #', '\u0001', '\u0085', '\u2028']
const fragment = fc.oneof(
  fc.constantFrom(...blanks),
  fc.constantFrom(
    ...list(`
      a ¦ : ¦ - ¦ ? ¦ 0 ¦ 01 ¦ 1_0 ¦ .5 ¦ e+3 ¦ é ¦ " ¦ ' ¦ \\ ¦ % ¦ @ ¦ { ¦ } ¦ [ ¦ , ¦ & ¦ * ¦ ! ¦ | ¦ > ¦ = ¦ << ¦ ~ ¦ null ¦ yes ¦ No ¦
      on ¦ 2020-01-01 ¦ 12:30 ¦ ... ¦ --- ¦ 😀 ¦ aaaaaaaaaaaaaaaaaaaa ¦ lorem ipsum dolor sit amet
    `),
  ),
)
const text = fc.array(fragment, { maxLength: 20 }).map(parts => parts.join(''))
const float = fc.double({ noNaN: true }).map(value => ({ $py: 'float', v: String(value).replace('Infinity', 'inf') }))
const scalar = fc.oneof({ arbitrary: text, weight: 5 }, fc.integer(), fc.boolean(), fc.constant(null), float)
const tree: fc.Arbitrary<Encoded> = fc.letrec<{ tree: Encoded }>(tie => ({
  tree: fc.oneof(
    { depthSize: 'small' },
    scalar,
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.array(fc.tuple(scalar, tie('tree')), { maxLength: 4 }).map(v => ({ $py: 'dict', v })),
    fc.array(tie('tree'), { maxLength: 2 }).map(v => ({ $py: 'tuple', v })),
  ),
})).tree

it('to_yaml prints any value as PyYAML does', async () => {
  const values = fc.sample(tree, { numRuns: 1500, seed })
  const theirs = await oracle.render(values.map(x => ({ template: '{{ x|to_yaml }}', context: { x } })))
  // Rendering the oracle's template drops nothing of a value's text: its line breaks come from the value.
  const ours = values.map(value => ({ output: dumpYaml(decode(value)) }))
  expect(ours).toEqual(theirs)
})

const layout = [
  '\n',
  '\n  ',
  '\n- ',
  '\n  - ',
  '- ',
  ', ',
  ': ',
  ' # c',
  '|\n  t\n  u\n',
  '>-\n  a\n\n  b',
  'k: v',
  '\n  k2: v2',
]
const source = fc
  .array(
    fc.constantFrom(
      ...layout,
      ...list(`
        a ¦ a: 1 ¦ x ¦ 012 ¦ 0o7 ¦ 0x1F ¦ 1_000 ¦ 1:30 ¦ 1.5 ¦ 1e3 ¦ .5 ¦ -.inf ¦ e7973912 ¦ yes ¦ No ¦ ~ ¦ null ¦ 2020-01-01 ¦
        2001-12-14t21:59:43.10-05:00 ¦ "q" ¦ 's' ¦ "a\\nb" ¦ <<: ¦ [1, 2] ¦ {a: 1, b: 2} ¦ [ ¦ { ¦ } ¦ ] ¦ !!str ¦ !!int ¦ 0b11 ¦ +1 ¦ on ¦ é
      `),
    ),
    { minLength: 1, maxLength: 8 },
  )
  .map(parts => parts.join(''))

it('from_yaml reads what SafeLoader reads, to the same value', async () => {
  const sources = fc.sample(source, { numRuns: 3000, seed })
  const theirs = await oracle.render(sources.map(x => ({ template: '{{ x|from_yaml|to_yaml }}', context: { x } })))
  const wrong = sources.flatMap((yaml, index) => {
    const their = theirs[index]
    // What PyYAML refuses may be read here (see README); what it reads has to be read alike.
    if (their === undefined || !('output' in their)) return []
    const ours = (() => {
      try {
        return dumpYaml(loadYaml(yaml))
      } catch (error) {
        return String(error)
      }
    })()
    return ours === their.output ? [] : [{ yaml, ours, theirs: their.output }]
  })
  // The parser wants a blank before a comment where PyYAML does not.
  expect(wrong.filter(({ yaml }) => !/["'}\]]#/.test(yaml))).toEqual([])
})

it('transliterates every character as text-unidecode does', async () => {
  const theirs = await oracle.transliterations()
  const wrong: string[] = []
  theirs.forEach((their, code) => {
    const char = String.fromCharCode(code)
    const isStable = code >= 128 && !(code >= 0xd800 && code < 0xe000) && char.normalize('NFKD') === char
    if (isStable && transliterate(char) !== their) wrong.push(code.toString(16))
  })
  expect(wrong).toEqual([])
})
