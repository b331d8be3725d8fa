import type { Arguments, Expr } from './ast.ts'
import type { Parser } from './parser.ts'

/** The parenthesised arguments of a call, filter or test. */
export function parseArguments(parser: Parser): Arguments {
  const { stream } = parser
  const { line } = stream.expect('lparen')
  const args: Expr[] = []
  const kwargs: [string, Expr][] = []
  const names = new Set<string>()
  let dynArgs: Expr | null = null
  let dynKwargs: Expr | null = null
  let needsComma = false
  const ensure = (holds: boolean) => {
    if (!holds) stream.fail('invalid syntax for function call expression', line)
  }
  while (!stream.test('rparen')) {
    if (needsComma) {
      stream.expect('comma')
      if (stream.test('rparen')) break
    }
    if (stream.skipIf('mul')) {
      ensure(dynArgs === null && dynKwargs === null)
      dynArgs = parser.expression()
    } else if (stream.skipIf('pow')) {
      ensure(dynKwargs === null)
      dynKwargs = parser.expression()
    } else if (stream.test('name') && stream.look().type === 'assign') {
      ensure(dynKwargs === null)
      const name = stream.next().text
      if (names.has(name)) stream.fail(`keyword argument repeated: ${name}`, line)
      names.add(name)
      stream.next()
      kwargs.push([name, parser.expression()])
    } else {
      ensure(dynArgs === null && dynKwargs === null && kwargs.length === 0)
      args.push(parser.expression())
    }
    needsComma = true
  }
  stream.expect('rparen')
  return { args, kwargs, dynArgs, dynKwargs }
}
