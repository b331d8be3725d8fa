import {
  Environment,
  type HostFilter,
  JinjaError,
  type Template,
  TemplateRuntimeError,
  UndefinedError,
} from '../jinja/index.ts'
import type { Problem } from '../util/errors.ts'
import { formatPath } from './schema-problems.ts'
import { type Scope, scopeFields } from './scope.ts'
import { countMarkers } from './unsafe-text.ts'
import type { FieldPath } from './yaml-source.ts'

/** Limits of one string of a project. */
const budget = { steps: 20_000, outputBytes: 128 * 1024, depth: 20, valueBytes: 256 * 1024 }
/** Most strings with a template in them that one project may have. */
const maxTemplates = 1_000
/** Most characters that all strings of one environment may render to; an object of Kubernetes has to hold them. */
const maxOutput = 1024 * 1024
const maxNesting = 60

/** An environment that rendered differently each time would never come to rest. */
const noRandom: HostFilter = () => {
  throw new TemplateRuntimeError('random is not available: an environment must render the same every time')
}

const jinja = new Environment({
  undefined: 'strict',
  keepTrailingNewline: true,
  budget,
  filters: new Map([['random', noRandom]]),
  random: () => 0,
})

/** One render of a project's strings for one change. */
export interface Rendering {
  scope: Scope
  /** The scope without template markers' characters in the forge's values; made when needed. */
  neutral: () => Scope
  problems: Problem[]
  /** Characters rendered so far. */
  size: number
}

/** A compiled value: gives it with its strings rendered, and notes what went wrong in `problems`. */
export type CompiledValue = (rendering: Rendering) => unknown
/** A compiled string. A mistake is noted and gives undefined. */
export type CompiledText = (rendering: Rendering) => string | undefined

/** Compiles the strings of one project, and counts them. */
export class TemplateCompiler {
  readonly problems: Problem[] = []
  private count = 0

  /** Compiles one string; what has no template in it stays as it is. */
  text(source: string, at: FieldPath): CompiledText {
    if (countMarkers(source) === 0) return rendering => withinSize(source, at, rendering)
    const path = formatPath(at)
    this.count++
    if (this.count > maxTemplates) {
      if (this.count === maxTemplates + 1)
        this.problems.push({ path, message: `expected at most ${maxTemplates} templates` })
      return () => undefined
    }
    let template: Template
    try {
      template = jinja.fromString(source, path)
    } catch (error) {
      this.problems.push({ path, message: describe(error) })
      return () => undefined
    }
    return rendering => renderText(template, at, rendering)
  }

  /** Compiles every string of a JSON-like value, however deep. Keys are not templates: the shape is the project's. */
  value(value: unknown, at: FieldPath): CompiledValue {
    if (typeof value === 'string') return this.text(value, at)
    if (typeof value !== 'object' || value === null) return () => value
    if (at.length > maxNesting) {
      this.problems.push({ path: formatPath(at), message: `expected at most ${maxNesting} levels of nesting` })
      return () => undefined
    }
    if (Array.isArray(value)) {
      const items = value.map((item, index) => this.value(item, [...at, index]))
      return rendering => items.map(item => item(rendering))
    }
    return this.record(value as Record<string, unknown>, at)
  }

  private record(value: Record<string, unknown>, at: FieldPath): CompiledValue {
    const entries = Object.entries(value).map(([key, item]): [string, CompiledValue] => {
      if (countMarkers(key) > 0 || key === '__proto__') {
        const message = `expected a plain key, as keys are not templates, got ${JSON.stringify(key)}`
        this.problems.push({ path: formatPath(at), message })
      }
      return [key, this.value(item, [...at, key])]
    })
    return rendering => Object.fromEntries(entries.map(([key, item]) => [key, item(rendering)]))
  }
}

function renderText(template: Template, at: FieldPath, rendering: Rendering): string | undefined {
  try {
    const text = template.render(rendering.scope)
    const markers = countMarkers(text)
    // Parts that are harmless alone may make up a marker together: `{` from a title, `{` from a branch.
    if (markers > 0 && markers !== countMarkers(template.render(rendering.neutral()))) {
      const message = 'a template marker ({{, {% or {#) in the result comes from the change, and is refused'
      rendering.problems.push({ path: formatPath(at), message })
      return undefined
    }
    return withinSize(text, at, rendering)
  } catch (error) {
    rendering.problems.push({ path: formatPath(at), message: describe(error) })
    return undefined
  }
}

function withinSize(text: string, at: FieldPath, rendering: Rendering): string | undefined {
  const before = rendering.size
  rendering.size += text.length
  if (rendering.size <= maxOutput) return text
  if (before <= maxOutput) {
    rendering.problems.push({
      path: formatPath(at),
      message: `expected all strings together to have at most ${maxOutput} characters`,
    })
  }
  return undefined
}

/** The message of a template's error, with the line in a template of many and what is known instead. */
function describe(error: unknown): string {
  if (!(error instanceof JinjaError)) throw error
  const line = error.line !== undefined && error.line > 1 ? ` (line ${error.line} of the template)` : ''
  const explained = /^(the value of )?(change|environment)[.]/.test(error.message)
  const known = error instanceof UndefinedError && !explained ? `; known are ${knownNames}` : ''
  return `${error.message}${line}${known}`
}

const knownNames = Object.entries(scopeFields)
  .map(([name, fields]) => `${name}.{${fields.join(',')}}`)
  .join(', ')
