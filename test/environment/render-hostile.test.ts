import { describe, expect, it } from 'vitest'
import { branch, pullRequest } from './builders.ts'
import { argProblems, argsOf, problemsOf, render } from './rendering.ts'

describe('a hostile change', () => {
  const fields = ['title', 'branch', 'base', 'author', 'url'] as const
  const attacks = ['{{ 7*7 }}', '{% x %}', '{# x', 'a\nb: c', 'a\u0000', '\u001b[31m', 'a\u2028b', '\ud800']

  it.each(
    fields.flatMap(field => attacks.map(attack => [field, attack] as const)),
  )('is refused where %s %j is used', (field, attack) => {
    const facts = pullRequest(1, { [field]: attack })
    expect(argProblems(`x {{ change.${field} }}`, facts)).toEqual([
      expect.stringMatching(
        new RegExp(`^spec\\.deploy\\.kluctlDeployment\\.args\\.x: the value of change\\.${field} is refused: it `),
      ),
    ])
    for (const way of [
      '{{ change.F | upper }}',
      '{{ change.F ~ "" }}',
      '{% if change.F %}x{% endif %}',
      '{{ change.F[0] }}',
      '{% for t in [change.F] %}{{ t }}{% endfor %}',
      '{% set t = change.F %}{{ t }}',
      '{% for c in change.F %}{{ c }}{% endfor %}',
    ]) {
      expect(argProblems(way.replaceAll('F', field), facts), way).toEqual([
        expect.stringContaining(`the value of change.${field} is refused`),
      ])
    }
  })

  it.each(attacks)('is harmless with %j where nothing uses it', attack => {
    const facts = pullRequest(1, { title: attack, branch: `b${attack}`, author: attack, labels: [attack] })
    expect(argsOf({ x: '{{ change.slug }}' }, facts)).toEqual({ x: 'pr-1' })
    expect(render({}, branch(`b${attack}`)).name).toMatch(/^shop-b.*-[0-9a-f]{8}$/)
  })

  it('is refused by the label that holds a template, and by no other', () => {
    const facts = pullRequest(1, { labels: ['good', '{{ bad }}'] })
    expect(argsOf({ x: '{{ change.labels[0] }}' }, facts)).toEqual({ x: 'good' })
    expect(argProblems('{% for label in change.labels %}{{ label }},{% endfor %}', facts)).toEqual([
      expect.stringMatching(/the value of change\.labels\[1\] is refused/),
    ])
  })

  it.each([
    ['two halves', '{{ change.title }}{{ change.author }}', { title: 'a{', author: '{ evil }}' }],
    ['half from the template', "{{ '{' }}{{ change.title }}", { title: '{ evil }}' }],
    [
      'a loop that leaves out what stands between',
      "{% for c in change.title %}{% if c != '-' %}{{ c }}{% endif %}{% endfor %}",
      { title: '{-{ evil }-}' },
    ],
    ['one part twice', '{{ change.title ~ change.title }}', { title: '{' }],
    ['reversal', '{{ change.title[::-1] }}', { title: '%{ x' }],
  ])('cannot put a marker together from %s', (_name, text, facts) => {
    expect(argProblems(text, pullRequest(1, facts))).toEqual([
      expect.stringMatching(/template marker .* comes from the change, and is refused/),
    ])
  })

  it('leaves alone the markers that the project itself writes', () => {
    const text = '{% raw %}{{ args.x }}{% endraw %} {{ change.title }}'
    expect(argsOf({ x: text }, pullRequest(1, { title: 'a } b' }))).toEqual({ x: '{{ args.x }} a } b' })
  })

  it('is rendered once only', () => {
    expect(argsOf({ x: "{{ '{' }}{{ '{ change.title }' }}{{ '}' }}" })).toEqual({ x: '{{ change.title }}' })
  })
})

describe('limits', () => {
  it.each([
    ['endless loops', '{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}'],
    ['huge strings', "{{ 'x' * 99999999 }}"],
    ['a bomb of output', "{% set x = 'x' * 9999 %}{% for i in range(9999) %}{{ x }}{% endfor %}"],
    ['randomness', '{{ [1, 2, 3] | random }}'],
    ['files', "{% include '/etc/passwd' %}"],
    ['escapes', "{{ ''.__class__.__mro__ }}"],
    ['escapes through constructors', '{{ change.constructor.constructor }}'],
    ['unknown filters', '{{ change.sha | nope }}'],
    ['broken syntax', '{{ change.sha'],
  ])('refuses %s, naming the field', (_name, text) => {
    expect(argProblems(text)).toEqual([expect.stringMatching(/^spec\.deploy\.kluctlDeployment\.args\.x: /)])
  })

  it('bounds all strings together', () => {
    const args = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`a${index}`, "{{ 'x' * 100000 }}"]))
    expect(problemsOf(() => argsOf(args))).toEqual([expect.stringMatching(/all strings together/)])
  })

  it('bounds the number of templates and the nesting', () => {
    const many = Object.fromEntries(Array.from({ length: 1100 }, (_, index) => [`a${index}`, '{{ change.sha }}']))
    expect(problemsOf(() => argsOf(many))).toEqual([expect.stringMatching(/at most 1000 templates/)])
    const deep = Array.from({ length: 200 }).reduce<unknown>(inner => ({ a: inner }), 'x')
    expect(problemsOf(() => argsOf({ deep }))).toEqual([expect.stringMatching(/at most 60 levels/)])
  })
})
