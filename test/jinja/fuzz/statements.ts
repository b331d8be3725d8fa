import fc from 'fast-check'
import type { OracleJob, OracleOptions } from '../oracle/oracle.ts'
import { expression, variables } from './expressions.ts'
import { list } from './list.ts'

const start = fc.constantFrom('{%', '{%', '{%', '{%-', '{%+')
const end = fc.constantFrom('%}', '%}', '%}', '-%}')
const tag = (body: fc.Arbitrary<string>) => fc.tuple(start, body, end).map(parts => parts.join(' '))
const fixed = (body: string) => tag(fc.constant(body))

const text = fc.constantFrom('a', ' ', '\n', '\n  ', 'x: y\n', '  - ', '<p>', '}}', '{', '%', '\n\n', "it's", '\t')
const target = fc.constantFrom('v1', 'v2', 'item', 's', 'l')
const loopPart = fc.constantFrom(
  ...list(`
    loop.index ¦ loop.index0 ¦ loop.revindex ¦ loop.revindex0 ¦ loop.first ¦ loop.last ¦ loop.length ¦
    loop.depth ¦ loop.cycle('a', 'b') ¦ loop.previtem ¦ loop.nextitem ¦ loop.changed(item) ¦ loop.depth0 ¦ item ¦
    item.n ¦ item|length
  `),
)
const iterable = fc.oneof(
  fc.constantFrom(
    ...list('l ¦ words ¦ rows ¦ d ¦ d.items() ¦ pairs ¦ range(4) ¦ s ¦ deep.list ¦ missing ¦ [] ¦ mixed ¦ tup'),
  ),
  expression,
)

function join(...parts: (string | fc.Arbitrary<string>)[]): fc.Arbitrary<string> {
  const arbitraries = parts.map(part => (typeof part === 'string' ? fc.constant(part) : part))
  return fc.tuple(...arbitraries).map(strings => strings.join(''))
}

const output = fc
  .tuple(fc.constantFrom('{{', '{{', '{{-'), expression, fc.constantFrom('}}', '}}', '-}}'))
  .map(parts => parts.join(' '))

type Part = string | fc.Arbitrary<string>

const production = (weight: number, ...parts: Part[]) => ({ arbitrary: join(...parts), weight })
const open = (...parts: Part[]) => tag(join(...parts))
const inLoop = fc.oneof(
  { arbitrary: loopPart.map(part => `{{ ${part} }}`), weight: 5 },
  { arbitrary: fc.constant(''), weight: 2 },
  { arbitrary: fc.constant('{% if loop.index > 1 %}{% break %}{% endif %}'), weight: 1 },
  { arbitrary: fc.constant('{% if loop.first %}{% continue %}{% endif %}'), weight: 1 },
)
const pairwise = fc.constantFrom('pairs', 'd.items()', 'd|dictsort', "rows|groupby('g')")
const simpleFilter = fc.constantFrom('upper', 'e', 'trim', 'indent(2)', "replace('a', 'b')", 'string')
const ready = fc.constantFrom(
  ...list(`
    {% include 'inc' %} ¦ {% include ['no', 'inc'] ignore missing %} ¦
    {% include 'no' ignore missing %} ¦ {% include missing %} ¦ {% from 'lib' import nope %} ¦
    {% import 'lib' as lib %}{{ lib.f(i) }}{{ lib.x }} ¦
    {% from 'lib' import f, x as v1 with context %}{{ f(2) }} ¦ {# c #} ¦ {#- c -#} ¦ {# \n #} ¦
    {% raw %}{{ x }}\n{% endraw %} ¦ {%- raw -%} {% if %} {%- endraw %}
  `),
)
const recursion = '{{ loop(item) if item is sequence and item is not string }}'

const body: fc.Arbitrary<string> = fc.letrec<{ one: string; many: string }>(tie => {
  const many = tie('many')
  return {
    many: fc.array(tie('one'), { maxLength: 3 }).map(parts => parts.join('')),
    one: fc.oneof(
      { maxDepth: 3, depthIdentifier: 'statement', depthSize: 'small' },
      production(8, output),
      production(4, text),
      production(2, ready),
      production(2, open('if ', expression), many, fixed('endif')),
      production(2, open('if ', expression), many, fixed('else'), many, fixed('endif')),
      production(1, open('if ', expression), many, open('elif ', expression), many, fixed('endif')),
      production(4, open('for item in ', iterable), inLoop, many, fixed('endfor')),
      production(
        1,
        open('for item in ', iterable, ' if ', expression),
        inLoop,
        many,
        fixed('else'),
        many,
        fixed('endfor'),
      ),
      production(1, open('for v1, v2 in ', pairwise), inLoop, many, fixed('endfor')),
      production(1, open('for item in ', iterable, ' recursive'), inLoop, recursion, many, fixed('endfor')),
      production(3, open('set ', target, ' = ', expression)),
      production(1, open('set v1, v2 = ', fc.constantFrom('1, 2', "'ab'", 'tup', 'l', "'x', [1]"))),
      production(1, open('set ', target), many, fixed('endset')),
      production(1, open('set ', target, ' | ', simpleFilter), many, fixed('endset')),
      production(1, open('with ', target, ' = ', expression), many, fixed('endwith')),
      production(1, open('filter ', simpleFilter), many, fixed('endfilter')),
      production(2, open('macro m(item, v1=', expression, ')'), many, fixed('endmacro'), '{{ m(', expression, ') }}'),
      production(
        1,
        open('macro m(v1=1)'),
        many,
        '{{ caller(v1) if caller }}{{ varargs }}{{ kwargs }}',
        fixed('endmacro'),
        open('call(v2) m(', expression, ')'),
        many,
        fixed('endcall'),
      ),
      production(1, open('autoescape ', fc.constantFrom('true', 'false', 't')), many, fixed('endautoescape')),
      production(
        1,
        '{% set ns = namespace(n=0) %}',
        open('for item in ', iterable),
        '{% set ns.n = ns.n + 1 %}',
        many,
        fixed('endfor'),
        '{{ ns.n }}',
      ),
      production(1, open('do ', expression)),
    ),
  }
}).many

const block = fc
  .tuple(fc.constantFrom('head', 'body', 'item'), fc.constantFrom('', ' scoped'), body)
  .map(
    ([name, scoped, inner]) =>
      [name, `{% block ${name}${scoped} %}${inner}{{ super() if super is defined }}{% endblock %}`] as const,
  )
const child = fc
  .tuple(
    fc.constantFrom("{% extends 'base' %}", "{% extends 'middle' %}", '{% if t %}{% extends "base" %}{% endif %}'),
    body,
    fc.uniqueArray(block, { maxLength: 2, selector: ([name]) => name }),
  )
  .map(([extend, loose, blocks]) => extend + loose + blocks.map(([, source]) => source).join(''))

const templates = {
  inc: '[{{ i }}{{ item }}{{ v1 }}{{ loop }}]',
  lib: "{% macro f(a, b='B') %}<{{ a }}{{ b }}{{ item }}>{% endmacro %}{% set x = 'X' %}{% set _y = 1 %}",
  base: '{% set v1 = 5 %}({% block head %}h{{ v1 }}{% endblock %}|{% block body %}b{% for item in l %}{% block item scoped %}{{ item }}{% endblock %}{% endfor %}{% endblock %})',
  middle: "{% extends 'base' %}{% block head %}m{{ super() }}{% endblock %}",
}

const options: fc.Arbitrary<OracleOptions> = fc.constantFrom<OracleOptions[]>(
  {},
  { autoescape: true },
  { trim_blocks: true },
  { trim_blocks: true, lstrip_blocks: true },
  { lstrip_blocks: true, keep_trailing_newline: true, autoescape: true },
  { undefined: 'chainable' },
  { undefined: 'debug', keep_trailing_newline: true },
  { undefined: 'strict' },
)

/** A template of Jinja2's grammar with environment options, the templates it may include and its variables. */
export const job: fc.Arbitrary<OracleJob> = fc
  .tuple(
    fc.oneof({ arbitrary: output, weight: 6 }, { arbitrary: body, weight: 4 }, { arbitrary: child, weight: 1 }),
    options,
  )
  .map(([template, chosen]) => ({
    template,
    templates,
    context: variables,
    options: { ...chosen, extensions: ['do', 'loopcontrols'] },
  }))
