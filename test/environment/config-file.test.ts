import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readConfigFile } from '../../src/environment/config-file.ts'
import { formatProblem, InvalidInputError } from '../../src/util/errors.ts'

const allow = ['args.replicas', 'args.message', 'args.nested', 'images', 'enabled']
const read = (text: string, allowed = allow) => readConfigFile(text, { path: '.offshoot.yaml', allow: allowed })
const problemsOf = (text: string, allowed = allow): string[] => {
  try {
    read(text, allowed)
    return []
  } catch (error) {
    if (error instanceof InvalidInputError) return error.problems.map(formatProblem)
    throw error
  }
}

describe('readConfigFile', () => {
  it('gives what the branch says', () => {
    expect(
      read(
        'enabled: true\nargs:\n  replicas: 3\n  message: |\n    two\n    lines\nimages:\n- {image: a, resultImage: b}\n',
      ),
    ).toEqual({
      enabled: true,
      args: { replicas: 3, message: 'two\nlines\n' },
      images: [{ image: 'a', resultImage: 'b' }],
    })
  })

  it.each(['', '# only a comment\n', '---\n', '{}'])('takes %j for nothing said', text => {
    expect(read(text)).toEqual({})
  })

  it('refuses everything that the project does not allow, each with its line', () => {
    expect(problemsOf('enabled: false\nargs:\n  replicas: 3\n  admin: true\n', ['args.replicas'])).toEqual([
      '.offshoot.yaml:4:3: args.admin: the project does not allow a branch to set this; it allows args.replicas (spec.configFile.allow)',
      '.offshoot.yaml:1:1: enabled: the project does not allow a branch to set this; it allows args.replicas (spec.configFile.allow)',
    ])
    expect(problemsOf('images: []', [])).toEqual([expect.stringMatching(/it allows nothing/)])
  })

  it('names unknown fields, wrong types and what was expected, all at once', () => {
    expect(problemsOf('enabeld: true\nargs: [1]\nimages:\n- image: a\n  tag: x\n')).toEqual([
      '.offshoot.yaml:2:1: args: expected an object, got a list',
      '.offshoot.yaml:4:3: images[0].resultImage: expected a string, got nothing',
      '.offshoot.yaml:5:3: images[0].tag: unknown field; expected one of image, resultImage',
      '.offshoot.yaml:1:1: enabeld: unknown field; expected one of enabled, args, images (did you mean enabled?)',
    ])
  })

  it.each([
    ['template', 'args: {message: "{{ secret }}"}'],
    ['template in a key', 'args: {nested: {"{{ x }}": 1}}'],
    ['statement deep inside', 'args: {nested: {a: [{b: "{% x %}"}]}}'],
    ['control character', 'args: {message: "a\\u0007b"}'],
    ['an image with a template', 'images: [{image: "{# x #}", resultImage: b}]'],
    ['a number JSON has no form for', 'args: {replicas: .inf}'],
    ['a duplicated key', 'enabled: true\nenabled: false'],
    ['an alias', 'args: {message: &a x, replicas: *a}'],
    ['a tag', 'args: {message: !!js/function "x"}'],
    ['a prototype', 'args: {nested: {__proto__: {x: 1}}}'],
    ['two documents', 'enabled: true\n---\nenabled: false'],
    ['broken YAML', 'args: {a'],
    ['a list', '- a'],
    ['a text', 'hello'],
  ])('refuses %s with its place', (_name, text) => {
    const problems = problemsOf(text)
    expect(problems.length).toBeGreaterThan(0)
    for (const problem of problems) expect(problem).toMatch(/^\.offshoot\.yaml:\d+:\d+: /)
  })

  it.each([
    [
      'a bomb of aliases',
      `a: &a [x,x]\n${'bcdefgh'.replace(/./g, (letter, at) => `${letter}: &${letter} [*${'abcdefg'[at]},*${'abcdefg'[at]}]\n`)}`,
    ],
    ['flow nesting', '['.repeat(30_000)],
    ['flow nesting over many lines', `a: ${'[\n'.repeat(10_000)}${']\n'.repeat(10_000)}`],
    ['map nesting', '{a: '.repeat(15_000)],
    ['block nesting', Array.from({ length: 300 }, (_, level) => `${' '.repeat(level)}a:`).join('\n')],
    ['nesting in one line', '- '.repeat(30_000)],
    ['more than 64 KiB', `args: {message: ${'x'.repeat(70_000)}}`],
    ['keys in keys', '? '.repeat(20_000)],
  ])('survives %s', (_name, text) => {
    expect(problemsOf(text).length).toBeGreaterThan(0)
  })

  it('throws nothing but its own error, whatever the text', () => {
    const pieces = fc.constantFrom(
      'a',
      ':',
      ' ',
      '\n',
      '- ',
      '{',
      '}',
      '[',
      ']',
      '"',
      "'",
      '&x',
      '*x',
      '!!t',
      '|',
      '>',
      '? ',
      '#',
      '%',
      '---',
      '...',
      '\t',
      '{{',
      'args',
      'images',
    )
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 60 }), parts => {
        expect(Array.isArray(problemsOf(parts.join('')))).toBe(true)
      }),
    )
  })
})
