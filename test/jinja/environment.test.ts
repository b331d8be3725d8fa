import { describe, expect, it } from 'vitest'
import {
  Environment,
  fromHost,
  HostFunction,
  HostObject,
  PyDict,
  PyFloat,
  toHost,
  type Value,
} from '../../src/jinja/index.ts'

describe('host data', () => {
  it('keeps int and float apart and dicts in order', () => {
    const source = '{{ a }} {{ b }} {{ c }} {{ d }} {{ e }}'
    const context = { a: 1, b: 1.5, c: [1n, 2n ** 60n], d: { z: null, a: true }, e: new Map([[1, 'x']]) }
    expect(new Environment().fromString(source).render(context)).toBe(
      "1 1.5 [1, 1152921504606846976] {'z': None, 'a': True} {1: 'x'}",
    )
  })

  it('is copied: a template cannot change what the host passed', () => {
    const data = { list: [1], dict: { a: 1 } }
    const source = '{% do list.append(2) %}{% do dict.update(b=2) %}{{ list }}{{ dict }}'
    expect(new Environment({ extensions: ['do'] }).fromString(source).render(data)).toBe("[1, 2]{'a': 1, 'b': 2}")
    expect(data).toEqual({ list: [1], dict: { a: 1 } })
  })

  it('comes back as it went in', () => {
    const data = { a: [1, 2.5, 'x', null, true], b: { c: {} } }
    expect(JSON.parse(JSON.stringify(toHost(fromHost(data))))).toEqual(data)
    expect(fromHost(2)).toBe(2)
    expect(fromHost(2.5)).toEqual(new PyFloat(2.5))
  })

  it('refuses functions, instances and cycles', () => {
    const cycle: unknown[] = []
    cycle.push(cycle)
    expect(() => fromHost(() => 1)).toThrow('HostFunction')
    expect(() => fromHost(new Date(0))).toThrow('HostObject')
    expect(() => fromHost(cycle)).toThrow('cyclic')
  })
})

describe('sandbox', () => {
  const environment = new Environment({ undefined: 'strict' })

  it.each([
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    'length',
    'valueOf',
    'map',
    '__proto__',
  ])('no value has the JavaScript property %s', name => {
    const values = [
      "''",
      '1',
      '1.5',
      '[]',
      '{}',
      '()',
      'none',
      'true',
      'f',
      'o',
      'range(3)',
      'cycler(1)',
      'namespace()',
    ]
    const globals = new Map<string, Value>([
      ['f', new HostFunction('f', () => 1)],
      ['o', new HostObject('Thing', new Map())],
    ])
    const strict = new Environment({ undefined: 'strict', globals })
    for (const value of values) {
      expect(() => strict.fromString(`{{ (${value}).${name} }}`).render()).toThrow(/no attribute|unsafe/)
      expect(() => strict.fromString(`{{ (${value})['${name}'] }}`).render()).toThrow(/no (attribute|element)|unsafe/)
      expect(() => strict.fromString(`{{ (${value})|attr('${name}') }}`).render()).toThrow(/no attribute|unsafe/)
    }
  })

  it.each([
    "{{ ''.__class__ }}",
    "{{ ''['__class__'] }}",
    "{{ ''|attr('__class__') }}",
    "{{ '{0.__class__}'.format('') }}",
    "{{ '{0.__class__}'.format_map({'0': ''}) }}",
    "{{ [''].__class__.__mro__ }}",
    "{{ ['']|map(attribute='__class__')|first }}",
  ])('%s is refused', source => {
    expect(() => environment.fromString(source).render()).toThrow()
  })

  it('has no names of JavaScript in its variables', () => {
    for (const name of ['constructor', '__proto__', 'toString', 'globalThis', 'process', 'require']) {
      expect(() => environment.fromString(`{{ ${name} }}`).render({})).toThrow(`'${name}' is undefined`)
    }
  })

  it('shares no state between renders', () => {
    const template = environment.fromString(
      "{% set ns = namespace(n=0) %}{% set ns.n = ns.n + 1 %}{{ ns.n }}{{ d.pop('a') }}",
    )
    expect(template.render({ d: { a: 1 } })).toBe('11')
    expect(template.render({ d: { a: 1 } })).toBe('11')
  })
})

describe('host functions', () => {
  it('see what Context.get_all() shows, and not the loop variable', () => {
    const seen: string[][] = []
    const look = new HostFunction('look', context => {
      const own = [...context.getAll().keys()].filter(name => ['a', 'b', 'i', 'inner'].includes(name))
      seen.push(own.sort())
      return ''
    })
    const environment = new Environment({ globals: new Map([['look', look]]) })
    environment
      .fromString('{% set b = 1 %}{% for i in [1] %}{{ look() }}{% set inner = 2 %}{{ look() }}{% endfor %}')
      .render({ a: 1 })
    expect(seen).toEqual([
      ['a', 'b'],
      ['a', 'b', 'inner'],
    ])
  })

  it('get keyword arguments and may take part in filters and tests', () => {
    const environment = new Environment({
      filters: new Map([
        ['wrap', (_context, value, [left = '<'], kwargs) => JSON.stringify([left, value, kwargs.get('end') ?? '>'])],
      ]),
      tests: new Map([['big', (_context, value) => typeof value === 'number' && value > 10]]),
      globals: new Map([['answer', PyDict.of([['x', 42]])]]),
    })
    const source =
      "{{ 'a'|wrap }}{{ 'a'|wrap('[', end=']') }}{{ 11 is big }}{{ [5, 15]|select('big')|list }}{{ answer.x }}"
    expect(environment.fromString(source).render()).toBe('["<","a",">"]["[","a","]"]True[15]42')
  })
})

describe('options that Jinja2 has as environment classes and hooks', () => {
  it('immutable refuses methods that change what they are called on', () => {
    const environment = new Environment({ immutable: true })
    for (const source of [
      '{{ [1].append(2) }}',
      '{{ {}.update(a=1) }}',
      "{{ [1]['clear']() }}",
      "{{ ([1]|attr('pop'))() }}",
    ]) {
      expect(() => environment.fromString(source).render()).toThrow('is unsafe')
    }
    expect(environment.fromString("{{ [1].index(1) }}{{ {'a': 1}.get('a') }}").render()).toBe('01')
  })

  it('maxRange bounds range', () => {
    const environment = new Environment({ maxRange: 100 })
    expect(environment.fromString('{{ range(100)|length }}').render()).toBe('100')
    expect(() => environment.fromString('{{ range(101) }}').render()).toThrow('Range too big')
  })

  it('finalize sees printed expressions and not the text around them', () => {
    const environment = new Environment({ finalize: value => (value === null ? '' : value) })
    expect(environment.fromString('{{ none }}|None|{{ 1 }}|{{ x }}').render({ x: null })).toBe('|None|1|')
  })
})
