import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { BudgetError, Environment, JinjaError } from '../../../src/jinja/index.ts'
import { type KluctlHost, kluctlExtensions } from '../../../src/jinja/kluctl/index.ts'

const files: Record<string, string | Uint8Array> = {
  '/p/item/a.yaml': 'A{{ x }}\n',
  '/p/item/loc.yaml': '{{ loc }}',
  '/p/item/self.yaml': 'x{{ load_sha256("self.yaml") }}',
  '/p/item/sub/b.yaml': '{{ load_template("./c.yaml") }}|{% include "./c.yaml" %}|{% include "../a.yaml" %}',
  '/p/item/sub/c.yaml': 'C',
  '/p/shared.yaml': 'S{% include "a.yaml" %}',
  '/p/a.yaml': 'outer',
  '/p/item/bin': new Uint8Array([255, 0, 1]),
  '/secret': 'secret',
  '/p/item/loop.yaml': '{% include "loop.yaml" %}',
  '/p/item/macros.j2': '{% macro f() %}{{ get_var("x") }}{% endmacro %}',
}
const lines: string[] = []

function host(more: Partial<KluctlHost> = {}): KluctlHost {
  return {
    searchPath: ['/p/item', '/p'],
    readFile: path => {
      const content = files[path]
      return typeof content === 'string' ? Buffer.from(content) : content
    },
    latestCommit: path => `${Buffer.from(path).toString('hex').padEnd(40, '0')}`.slice(0, 40),
    debugPrint: line => lines.push(line),
    now: () => Date.UTC(2024, 1, 29, 12, 30, 45, 123),
    timeZone: 'Europe/Berlin',
    ...more,
  }
}

function render(template: string, variables: Record<string, unknown> = {}, more: Partial<KluctlHost> = {}): string {
  const { globals, ...rest } = kluctlExtensions(host(more))
  return new Environment({ ...rest, globals: new Map([...globals, ['x', 'ö']]) }).fromString(template).render(variables)
}

function failure(template: string, variables: Record<string, unknown> = {}): string {
  try {
    render(template, variables)
  } catch (error) {
    if (error instanceof JinjaError) return `${error.pythonType}: ${error.message}`
    throw error
  }
  throw new Error('did not fail')
}

describe('files', () => {
  it.each([
    ["{{ load_template('a.yaml') }}.", 'Aö.'],
    ["{{ load_template('a.yaml', x=3) }}", 'A3'],
    ["{% set loc=5 %}{{ load_template('loc.yaml') }}", '5'],
    ["{% for e in [1] %}{% set loc=e %}{{ load_template('loc.yaml') }}{% endfor %}", '1'],
    ["{{ load_template('sub/b.yaml') }}", 'C|C|Aö'],
    ["{% include 'shared.yaml' %}", 'SAö'],
    [
      "{{ load_base64('bin') }} {{ load_base64('a.yaml', 3) }} {{ load_base64('a.yaml', 0) }}",
      '/wAB QXt\n7IH\nggf\nX0K QXt7IHggfX0K',
    ],
    ["{{ load_sha256('a.yaml', 8) }}", createHash('sha256').update('Aö').digest('hex').slice(0, 8)],
    ["{{ load_sha256('self.yaml') }}", createHash('sha256').update('x__self_sha256__').digest('hex')],
    ["{{ load_latest_git_commit('a.yaml', 6) }}", '2f702f'],
    ["{% import 'macros.j2' as m %}{{ m.f() }}", 'ö'],
    ["{{ load_template('/p/a.yaml') }}", 'outer'],
  ])('%s', (template, output) => {
    expect(render(template)).toBe(output)
  })

  it.each([
    ["{{ load_template('nope') }}", 'TemplateNotFound: nope'],
    ["{% include 'nope' %}", 'TemplateNotFound: nope'],
    ["{{ load_base64('/secret') }}", 'TemplateNotFound: template /secret not found'],
    ["{{ load_template('../../secret') }}", 'TemplateNotFound'],
    ["{{ load_template('sub/../../../secret') }}", 'TemplateNotFound'],
    ["{% include '/p/item/../../secret' %}", 'TemplateNotFound'],
    ["{{ load_template('bin') }}", 'UnicodeDecodeError'],
    ['{{ load_template(none) }}', "AttributeError: 'NoneType' object has no attribute 'replace'"],
    ["{% for loc in [1] %}{{ load_template('loc.yaml') }}{% endfor %}", "UndefinedError: 'loc' is undefined"],
    ["{{ load_base64('a.yaml', -1) }}", 'ValueError: invalid width -1'],
  ])('%s fails', (template, message) => {
    expect(failure(template)).toContain(message)
  })

  it('an endless include ends with the depth of the budget', () => {
    expect(() => render("{% include 'loop.yaml' %}")).toThrow(BudgetError)
    expect(() => render("{% set t='{{ render(t) }}' %}{{ render(t) }}")).toThrow(BudgetError)
  })
})

describe('get_var', () => {
  const variables = {
    c: { q: 1, 'x y': 3, l: [1, 2], n: null, o: [{ k: 1 }, { k: 2 }], 'a-b': 'dash', '1': 'one' },
    d: { only: 1 },
  }
  it.each([
    [
      "{{ get_var('missing') }} {{ get_var('missing', 'd') }} {{ get_var(['missing', 'c.q']) }} {{ get_var([], 3) }}",
      'None d 1 3',
    ],
    ["{{ get_var('c.l[0]') }} {{ get_var('c.l[-1]') }} {{ get_var('$.c.l[1]') }} {{ get_var('c.l') }}", '1 2 2 [1, 2]'],
    [
      "{{ get_var('c[\"x y\"]') }} {{ get_var('c.\"x y\"') }} {{ get_var('c.a-b') }} {{ get_var('c.1') }}",
      '3 3 dash one',
    ],
    [
      "{{ get_var('c.n', 5) }} {{ get_var('c.n.x', 5) }} {{ get_var('c.l[7]', 5) }} {{ get_var('c.q.r', 5) }}",
      'None 5 5 5',
    ],
    [
      "{{ get_var('d.*') }} {{ get_var('c.o[?(@.k==1)]') }} {{ get_var('c.o[?k>1].k') }} {{ get_var('$..only') }}",
      "1 {'k': 1} 2 1",
    ],
    ["{{ get_var('c.l.`len`') }} {{ get_var('c.l[0:1]') }} {{ get_var([['c', 'l', 0]]) }}", '2 1 1'],
    ["{% set loc = 'l1' %}{{ get_var('loc') }} {% for e in [1] %}{% set e=e %}{{ get_var('e') }}{% endfor %}", 'l1 1'],
    ["{% for e in [1] %}{{ get_var('e', 'unseen') }}{% endfor %}", 'unseen'],
  ])('%s', (template, output) => {
    expect(render(template, variables)).toBe(output)
  })

  it.each(['', 'a[', 'a b', '.a', 'c.', '-a', 'c.é'])('refuses the path %j', path => {
    expect(failure('{{ get_var(p) }}', { p: path })).toContain('Invalid json path')
  })

  it('refuses a path to several values', () => {
    expect(failure("{{ get_var('c.*') }}", { c: { a: 1, b: 2 } })).toContain('Only simple jsonpath supported')
  })
})

describe('dicts, raise, render, debug_print', () => {
  it.each([
    ["{{ merge_dict({'a': {'b': 1}, 'l': [1]}, {'a': {'c': 2}, 'l': [2]}) }}", "{'a': {'b': 1, 'c': 2}, 'l': [2]}"],
    ["{% set d={'a': {'b': 1}} %}{{ update_dict(d, {'a': {'c': 2}}) }}{{ d }}", "{'a': {'b': 1, 'c': 2}}"],
    [
      "{% set d={'a': {'b': 1}} %}{% set m=merge_dict(d, {'a': {'b': 2}}) %}{{ d }}{{ m }}",
      "{'a': {'b': 1}}{'a': {'b': 2}}",
    ],
    ["{{ merge_dict({'a': 1}, none) }}{{ merge_dict({'a': {'x': 1}}, {'a': none}) }}", "{'a': 1}{'a': None}"],
    ["{% set a=1 %}{{ render('{{ a }}{{ x }}') }}{{ '{{ a }}' | render }}", '1ö1'],
    ["{{ debug_print('hi') }}|", '|'],
  ])('%s', (template, output) => {
    expect(render(template)).toBe(output)
  })

  it('fails as kluctl does', () => {
    expect(failure("{{ raise('boo') }}")).toBe('TemplateError: boo')
    expect(failure('{{ merge_dict(none, {}) }}')).toContain("'NoneType' object has no attribute 'items'")
    expect(failure("{{ render('{{ zz }}') }}")).toBe("UndefinedError: 'zz' is undefined")
    expect(failure("{{ render('{{ ') }}")).toContain('TemplateSyntaxError')
    expect(failure('{{ zz }}')).toBe("UndefinedError: 'zz' is undefined")
    expect(lines).toEqual(['hi'])
  })

  it('merging a dict into itself ends', () => {
    expect(render("{% set d={'a': {}} %}{% set _=d.a.update({'d': d}) %}{{ update_dict(d, d) }}ok")).toBe('ok')
    expect(failure("{% set d={} %}{% set _=d.update({'d': d}) %}{{ merge_dict(d, {}) }}")).toContain('Recursion')
  })
})
