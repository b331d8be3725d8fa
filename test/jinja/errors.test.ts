import { describe, expect, it } from 'vitest'
import { Environment, type EnvironmentOptions, JinjaError } from '../../src/jinja/index.ts'

const files: Record<string, string> = {
  'page.html': 'one\n{% include "part.html" %}',
  'part.html': 'two\n\n{{ user.nam }}',
  'macros.html': '{% macro f(x) %}\n{{ x.y.z }}{% endmacro %}',
  'base.html': 'a\n{% block body %}{% endblock %}',
  'bad.html': 'a\nb {% if %}',
}

function failure(source: string, context: Record<string, unknown> = {}, options: EnvironmentOptions = {}): JinjaError {
  const loader = (name: string) => (Object.hasOwn(files, name) ? { name, source: files[name] ?? '' } : undefined)
  try {
    new Environment({ loader, ...options }).fromString(source, 'main.html').render(context)
  } catch (error) {
    if (error instanceof JinjaError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('where an error says it happened', () => {
  it('names template, line and source line', () => {
    const error = failure('a\n{% if true %}\n  {{ 1 / zero }}\n{% endif %}', { zero: 0 })
    expect(error).toMatchObject({
      pythonType: 'ZeroDivisionError',
      templateName: 'main.html',
      line: 3,
      sourceLine: '  {{ 1 / zero }}',
    })
    expect(error.includeChain).toEqual([])
  })

  it('names the chain of includes', () => {
    const error = failure('\n{% include "page.html" %}', { user: { name: 'x' } }, { undefined: 'strict' })
    expect(error.name).toBe('UndefinedError')
    expect(error.describe().split('\n')).toEqual([
      "part.html:3: 'dict object' has no attribute 'nam'",
      '    {{ user.nam }}',
      '  from page.html:2',
      '  from main.html:2',
    ])
  })

  it('names the line in an imported macro and the line of its call', () => {
    const error = failure('{% from "macros.html" import f %}\n\n{{ f({}) }}')
    expect(error).toMatchObject({ templateName: 'macros.html', line: 2 })
    expect(error.includeChain).toEqual([{ template: 'main.html', line: 3 }])
  })

  it('names a block of the child and the place in its parent', () => {
    const error = failure('{% extends "base.html" %}{% block body %}\n{{ [1] + 1 }}{% endblock %}')
    expect(error).toMatchObject({ pythonType: 'TypeError', templateName: 'main.html', line: 2 })
    expect(error.includeChain[0]).toEqual({ template: 'base.html', line: 2 })
  })

  it('names the file of a syntax error in an included template', () => {
    const error = failure('x\n{% include "bad.html" %}')
    expect(error).toMatchObject({
      name: 'TemplateSyntaxError',
      templateName: 'bad.html',
      line: 2,
      sourceLine: 'b {% if %}',
    })
    expect(error.includeChain).toEqual([{ template: 'main.html', line: 2 }])
  })

  it('tells which templates were not found', () => {
    expect(failure('{% include ["a", "b"] %}').message).toBe('none of the templates given were found: a, b')
    expect(failure('{% extends "a" %}')).toMatchObject({ name: 'TemplateNotFound', message: 'a', line: 1 })
  })
})

describe('compileExpression', () => {
  const environment = new Environment()

  it('gives values, and None for undefined unless asked', () => {
    expect(environment.compileExpression('a + 1')({ a: 2 })).toBe(3)
    expect(environment.compileExpression('nope')()).toBeNull()
    expect(environment.compileExpression('nope', { undefinedToNone: false })()).not.toBeNull()
  })

  it('refuses more than one expression', () => {
    expect(() => environment.compileExpression('a b')).toThrow('chunk after expression')
  })
})
