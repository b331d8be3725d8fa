import { PythonError } from '../errors.ts'
import { type ContextView, Markup, PyDict, PyFloat, PyTuple, type Value } from '../values.ts'

/** One step of a path, from the values found so far to those it leads to. */
type Step = (context: ContextView, value: Value) => Value[]

const token =
  /\s*(?:(\.\.)|([.[\](),|*?])|([$])|([A-Za-z_@][A-Za-z0-9_@-]*)|(-?\d+(?:\.\d+)?)|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|`([^`]*)`|(==|=~|!=|<=|>=|<|>|=)|(:))/y

interface Token {
  readonly kind: 'mark' | 'root' | 'name' | 'number' | 'text' | 'special' | 'operator' | 'end'
  readonly text: string
}

function invalid(path: string, at: string): PythonError {
  return new PythonError('Exception', `Invalid json path '${path}'. Error=${at}`)
}

function readTokens(path: string): Token[] {
  const tokens: Token[] = []
  token.lastIndex = 0
  while (path.slice(token.lastIndex).trim() !== '') {
    const start = token.lastIndex
    const found = token.exec(path)
    if (found === null) throw invalid(path, `Parse error at 1:${start}`)
    const [, dots, mark, root, name, number, double, single, special, operator, colon] = found
    const plain = dots ?? mark ?? colon
    if (plain !== undefined) tokens.push({ kind: 'mark', text: plain })
    else if (root !== undefined) tokens.push({ kind: 'root', text: root })
    else if (name !== undefined) tokens.push({ kind: name === '@' ? 'root' : 'name', text: name })
    else if (number !== undefined) tokens.push({ kind: 'number', text: number })
    else if (special !== undefined) tokens.push({ kind: 'special', text: special })
    else if (operator !== undefined) tokens.push({ kind: 'operator', text: operator })
    else tokens.push({ kind: 'text', text: (double ?? single ?? '').replaceAll(/\\(.)/g, '$1') })
  }
  return tokens
}

function items(value: Value): readonly Value[] | undefined {
  if (Array.isArray(value)) return value
  return value instanceof PyTuple ? value.items : undefined
}

function field(name: string): Step {
  return (_, value) => {
    const found = value instanceof PyDict ? value.get(name) : undefined
    return found === undefined ? [] : [found]
  }
}

function element(index: number): Step {
  return (_, value) => {
    if (value instanceof PyDict) throw new PythonError('KeyError', String(index))
    const list = items(value) ?? (typeof value === 'string' ? Array.from(value) : [value])
    const found = list.at(index)
    return found === undefined ? [] : [found]
  }
}

function slice(from: number | undefined, to: number | undefined, by: number): Step {
  return (context, value) => {
    const list = items(value) ?? [value]
    context.step(list.length)
    return list.slice(from, to).filter((_, index) => index % by === 0)
  }
}

const children: Step = (context, value) => {
  const found = value instanceof PyDict ? [...value.values()] : [...(items(value) ?? [])]
  context.step(found.length)
  return found
}

/** The value itself and everything below it; a value that contains itself is walked once. */
const descendants: Step = (context, value) => {
  const found = new Set<Value>([value])
  for (const inner of found) {
    if (typeof inner === 'object') for (const child of children(context, inner)) found.add(child)
  }
  return [...found]
}

const length: Step = (_, value) => {
  if (value instanceof PyDict) return [value.size]
  const list = items(value)
  if (list !== undefined) return [list.length]
  return typeof value === 'string' ? [Array.from(value).length] : []
}

function plain(value: Value): unknown {
  if (value instanceof PyFloat) return value.value
  return value instanceof Markup ? value.text : value
}

function compares(left: Value, operator: string, right: string | number): boolean {
  const value = plain(left)
  if (operator === '==' || operator === '=') return value === right
  if (operator === '!=') return value !== right
  if (typeof value === 'string' && typeof right === 'string') return ordered(value.localeCompare(right, 'en'), operator)
  if (typeof value !== 'number' || typeof right !== 'number') return false
  return ordered(value - right, operator)
}

function ordered(difference: number, operator: string): boolean {
  if (operator === '<') return difference < 0
  if (operator === '>') return difference > 0
  return operator === '<=' ? difference <= 0 : difference >= 0
}

class Parser {
  readonly #path: string
  readonly #tokens: readonly Token[]
  #at = 0

  constructor(path: string) {
    this.#path = path
    this.#tokens = readTokens(path)
  }

  parse(): Step[] {
    const steps = this.#steps()
    if (this.#at < this.#tokens.length || this.#tokens.length === 0) this.#fail()
    return steps
  }

  #peek(ahead = 0): Token {
    return this.#tokens[this.#at + ahead] ?? { kind: 'end', text: '' }
  }

  #take(text: string): boolean {
    if (this.#peek().kind !== 'mark' || this.#peek().text !== text) return false
    this.#at++
    return true
  }

  #expect(text: string): void {
    if (!this.#take(text)) this.#fail()
  }

  #fail(): never {
    const { kind, text } = this.#peek()
    throw invalid(this.#path, kind === 'end' ? 'Parse error near the end of string!' : `Parse error near token ${text}`)
  }

  #steps(): Step[] {
    const steps: Step[] = []
    if (this.#peek().kind === 'root') {
      this.#at++
    } else steps.push(this.#member())
    for (;;) {
      if (this.#take('..')) steps.push(descendants, this.#member())
      else if (this.#take('.')) steps.push(this.#member())
      else if (this.#take('[')) steps.push(this.#bracket())
      else return steps
    }
  }

  #member(): Step {
    if (this.#take('*')) return children
    if (this.#take('[')) return this.#bracket()
    const next = this.#peek()
    this.#at++
    if (next.kind === 'name' && next.text !== 'true' && next.text !== 'false') return field(next.text)
    if (next.kind === 'text' || next.kind === 'number') return field(next.text)
    if (next.kind === 'root') return (_, value) => [value]
    if (next.kind === 'special' && next.text === 'len') return length
    this.#at--
    return this.#fail()
  }

  #bracket(): Step {
    const step = this.#take('*') ? children : this.#take('?') ? this.#filter() : this.#choice()
    this.#expect(']')
    return step
  }

  #choice(): Step {
    const { kind } = this.#peek()
    if (kind === 'number' || this.#peek().text === ':') return this.#range()
    const steps: Step[] = [this.#member()]
    while (this.#take(',')) steps.push(this.#member())
    return (context, value) => steps.flatMap(step => step(context, value))
  }

  #index(): number | undefined {
    if (this.#peek().kind !== 'number') return undefined
    return Math.trunc(Number(this.#tokens[this.#at++]?.text))
  }

  #range(): Step {
    const from = this.#index()
    if (!this.#take(':')) {
      const steps = [element(from ?? 0)]
      while (this.#take(',')) steps.push(element(this.#index() ?? this.#fail()))
      return (context, value) => steps.flatMap(step => step(context, value))
    }
    const to = this.#index()
    const by = this.#take(':') ? (this.#index() ?? 1) : 1
    if (by < 1) throw invalid(this.#path, 'a slice steps forward')
    return slice(from, to, by)
  }

  /** `[?(@.key == 1)]` over the elements of a list: one comparison, or the mere presence of a path. */
  #filter(): Step {
    const parenthesis = this.#take('(')
    const steps = this.#steps()
    let holds: (value: Value) => boolean = () => true
    if (this.#peek().kind === 'operator') {
      const operator = this.#tokens[this.#at++]?.text ?? ''
      const { kind, text } = this.#peek()
      if (kind !== 'number' && kind !== 'text') this.#fail()
      this.#at++
      const right = kind === 'number' ? Number(text) : text
      holds = value => compares(value, operator, right)
    }
    if (parenthesis) this.#expect(')')
    return (context, value) =>
      (items(value) ?? []).filter(item => run(context, steps, item).some(found => holds(found)))
  }
}

function run(context: ContextView, steps: readonly Step[], root: Value): Value[] {
  let found: Value[] = [root]
  for (const step of steps) {
    context.step(found.length)
    found = found.flatMap(value => step(context, value))
  }
  return found
}

/** A path given as a list of keys and indices. */
function stepsOf(path: readonly Value[]): Step[] {
  return path.map(part => {
    if (typeof part === 'number') return element(part)
    if (typeof part === 'string') return field(part)
    throw new PythonError('TypeError', 'a path is made of str and int')
  })
}

/**
 * The one value a JSON path leads to, or undefined. Known: fields (plain, quoted), indices, slices, `*`, `..`, unions,
 * one-comparison filters. Throws `Exception` for a path that does not parse or leads to several values.
 */
export function findPath(context: ContextView, root: Value, path: Value): Value | undefined {
  const list = items(path)
  if (list === undefined && typeof path !== 'string') {
    throw new PythonError('TypeError', 'a json path is a str or a list of str and int')
  }
  const steps = list === undefined ? new Parser(path as string).parse() : stepsOf(list)
  const found = run(context, steps, root)
  if (found.length > 1) {
    throw new PythonError('Exception', 'Only simple jsonpath supported in get_dict_value')
  }
  return found[0]
}
