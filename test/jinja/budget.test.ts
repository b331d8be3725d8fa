import { describe, expect, it } from 'vitest'
import { AbortedError, type Budget, BudgetError, Environment, HostFunction } from '../../src/jinja/index.ts'

const small: Partial<Budget> = { steps: 100_000, outputBytes: 100_000, depth: 50, valueBytes: 100_000 }

function exceeded(source: string, budget: Partial<Budget> = small): string {
  const loader = (name: string) => ({ name, source: `{% include '${name}x' %}` })
  try {
    new Environment({ loader, extensions: ['do'] }).fromString(source).render({}, { budget })
  } catch (error) {
    if (error instanceof BudgetError) return error.kind
    throw error
  }
  return 'nothing'
}

describe('budget', () => {
  it.each([
    ["{{ 'a' * 10 ** 10 }}", 'valueBytes'],
    ['{{ [0] * 10 ** 10 }}', 'valueBytes'],
    ['{{ range(10 ** 9)|list }}', 'valueBytes'],
    ['{{ range(10 ** 9)|sum }}', 'steps'],
    ['{{ 2 ** 1000000000 }}', 'valueBytes'],
    ["{{ 'a'.center(10 ** 9) }}", 'valueBytes'],
    ["{{ 'a'|center(10 ** 9) }}", 'valueBytes'],
    ["{{ 'a\nb'|indent(10 ** 9) }}", 'valueBytes'],
    ["{{ '%999999999d' % 1 }}", 'valueBytes'],
    ["{{ '%.999999999f' % 1 }}", 'valueBytes'],
    ["{{ '{:999999999}'.format(1) }}", 'valueBytes'],
    ["{{ '{:{w}}'.format(1, w=10 ** 9) }}", 'valueBytes'],
    ["{{ 'a'.zfill(10 ** 9) }}", 'valueBytes'],
    ["{{ '\t'.expandtabs(10 ** 9) }}", 'valueBytes'],
    ["{{ ('a' * 90000).replace('a', 'b' * 90000) }}", 'valueBytes'],
    ["{{ ('a' * 90000).join(['b'] * 900) }}", 'valueBytes'],
    ['{{ [1]|batch(10 ** 9, 0)|list }}', 'valueBytes'],
    ["{% set ns = namespace(x='ab') %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}", 'valueBytes'],
    [
      '{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}',
      'steps',
    ],
    ['{% for a in range(10 ** 9) %}{% endfor %}', 'steps'],
    [
      '{% for a in range(999) %}{% for b in range(999) %}{% for c in range(999) %}{% endfor %}{% endfor %}{% endfor %}',
      'steps',
    ],
    ['{% for a in range(9999) %}{{ "x" * 99 }}{% endfor %}', 'outputBytes'],
    ['{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}', 'depth'],
    ["{% include 'x' %}", 'depth'],
    ['{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}', 'depth'],
    ["{% set l = [] %}{% for i in range(10 ** 6) %}{% do l.append('a' * 9999) %}{% endfor %}", 'steps'],
  ])('%s ends by %s', (source, kind) => {
    expect(exceeded(source)).toBe(kind)
  })

  const small = { steps: 10_000, sourceBytes: 100_000 }
  const many = (count: number, part: (index: number) => string) =>
    Array.from({ length: count }, (_, i) => part(i)).join('')
  it.each([
    ['text', 'x'.repeat(100_001), 'sourceBytes'],
    ['text whose bytes are too many', 'ä'.repeat(50_001), 'sourceBytes'],
    ['tags', '{{ a }}'.repeat(1000), 'steps'],
    ['one long list', `{{ [${'1,'.repeat(2000)}] }}`, 'steps'],
    ['keywords', `{{ f(${many(2000, i => `k${i}=1,`)}) }}`, 'steps'],
    ['parameters', `{% macro f(${many(2000, i => `k${i},`)}x) %}{% endmacro %}`, 'steps'],
    ['loops in loops', '{% for a in b %}'.repeat(100) + 'x{{ a }}'.repeat(150) + '{% endfor %}'.repeat(100), 'steps'],
    ['names before conditions', `{% set a, b, c, d, e, f = x %}${'{% if a %}{% endif %}'.repeat(150)}`, 'steps'],
  ])('bounds what is compiled: %s', (_name, source, kind) => {
    const environment = new Environment({ budget: small })
    expect(() => environment.fromString(source)).toThrow(expect.objectContaining({ kind }))
    expect(() => new Environment().fromString(source)).not.toThrow()
  })

  it('charges a render for each template that it loads, once and whether it was compiled before or not', () => {
    const loader = (name: string) => ({ name, source: '{{ a }}'.repeat(100) })
    const environment = new Environment({ loader })
    const render = (source: string, steps: number) => () =>
      environment.fromString(source).render({}, { budget: { steps } })
    const twice = "{% include 'x' %}{% include 'x' %}"
    for (let run = 0; run < 2; run++) {
      expect(render("{% include 'x' %}", 2000)).toThrow(BudgetError)
      expect(render(twice, 5000)).not.toThrow()
      expect(render("{% include 'x' %}{% include 'y' %}", 5000)).toThrow(BudgetError)
    }
  })

  it('counts the bytes of the output, not its characters', () => {
    expect(exceeded("{{ 'ä' * 6 }}", { outputBytes: 11 })).toBe('outputBytes')
    expect(exceeded("{{ 'ä' * 6 }}", { outputBytes: 12 })).toBe('nothing')
  })

  it('does not charge a captured text twice', () => {
    const source = "{% set x %}{{ 'a' * 60000 }}{% endset %}{{ x }}"
    expect(exceeded(source, { ...small, outputBytes: 60_000 })).toBe('nothing')
  })

  it('turns a stack that is too deep into a budget error', () => {
    expect(exceeded(`{{ ${'('.repeat(100)}1${')'.repeat(100)} }}`)).toBe('nothing')
    const nested =
      '{% set ns = namespace(x=[]) %}{% for i in range(40000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}'
    expect(exceeded(nested, { steps: 10_000_000 })).toBe('depth')
  })

  it('is fresh for every render', () => {
    const template = new Environment({ budget: { steps: 3000 } }).fromString('{% for i in range(900) %}x{% endfor %}')
    for (let turn = 0; turn < 5; turn++) expect(template.render()).toHaveLength(900)
  })
})

describe('abort', () => {
  it('ends a render whose signal is already aborted', () => {
    const template = new Environment().fromString('x')
    expect(() => template.render({}, { signal: AbortSignal.abort('enough') })).toThrow(AbortedError)
  })

  it('ends a loop soon after the signal is aborted', () => {
    const controller = new AbortController()
    let turns = 0
    const stop = new HostFunction('stop', () => {
      turns++
      controller.abort(new Error('enough'))
      return ''
    })
    const environment = new Environment({ globals: new Map([['stop', stop]]) })
    const template = environment.fromString('{% for i in range(100000) %}{{ stop() }}{% endfor %}')
    expect(() => template.render({}, { signal: controller.signal })).toThrow(AbortedError)
    expect(turns).toBeLessThan(1024)
  })
})
