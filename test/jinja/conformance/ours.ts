import type { EnvironmentOptions, Translations } from '../../../src/jinja/index.ts'
import {
  Environment,
  JinjaError,
  Markup,
  PyBytes,
  PyDict,
  PyFloat,
  PyTuple,
  type Value,
} from '../../../src/jinja/index.ts'
import { kluctlExtensions } from '../../../src/jinja/kluctl/index.ts'
import type { Encoded, OracleJob, OracleOptions, OracleResult } from '../oracle/oracle.ts'

/** A value that the oracle gets as tagged JSON, as a template value. */
export function decode(value: Encoded): Value {
  if (Array.isArray(value)) return value.map(decode)
  if (value === null || typeof value !== 'object') {
    return typeof value === 'number' && !Number.isInteger(value) ? new PyFloat(value) : (value as Value)
  }
  const { $py: tag, v } = value as { $py?: string; v?: Encoded }
  const text = typeof v === 'string' ? v : ''
  if (tag === undefined) return PyDict.of(Object.entries(value).map(([key, inner]) => [key, decode(inner as Encoded)]))
  if (tag === 'float') return new PyFloat(floatOf(text))
  if (tag === 'int') return BigInt(text)
  if (tag === 'markup') return new Markup(text)
  if (tag === 'bytes') return new PyBytes(new Uint8Array(Buffer.from(text, 'base64')))
  const list = v as readonly Encoded[]
  if (tag === 'tuple') return new PyTuple(list.map(decode))
  return PyDict.of((list as [Encoded, Encoded][]).map(([key, inner]) => [decode(key), decode(inner)]))
}

function floatOf(text: string): number {
  if (text === 'inf') return Number.POSITIVE_INFINITY
  return text === '-inf' ? Number.NEGATIVE_INFINITY : Number(text)
}

const shouting: Translations = {
  gettext: message => message.toUpperCase(),
  ngettext: (singular, plural, count) => (count === 1 ? singular : plural).toUpperCase(),
}
const silent: Translations = {
  gettext: message => message,
  ngettext: (singular, plural, count) => (count === 1 ? singular : plural),
  pgettext: (_, message) => message,
  npgettext: (_, singular, plural, count) => (count === 1 ? singular : plural),
}

const names: Readonly<Record<string, keyof EnvironmentOptions>> = {
  undefined: 'undefined',
  extensions: 'extensions',
  trim_blocks: 'trimBlocks',
  lstrip_blocks: 'lstripBlocks',
  keep_trailing_newline: 'keepTrailingNewline',
  autoescape: 'autoescape',
  newline_sequence: 'newlineSequence',
  block_start_string: 'blockStart',
  block_end_string: 'blockEnd',
  variable_start_string: 'variableStart',
  variable_end_string: 'variableEnd',
  comment_start_string: 'commentStart',
  comment_end_string: 'commentEnd',
  line_statement_prefix: 'lineStatementPrefix',
  line_comment_prefix: 'lineCommentPrefix',
  newstyle: 'newstyleGettext',
}

const plainKluctl = kluctlExtensions({ searchPath: [], readFile: () => undefined })

/** Our environment for the oracle's options and templates. */
export function environmentOf(
  options: OracleOptions = {},
  templates: Readonly<Record<string, string>> = {},
): Environment {
  const ours: Partial<Record<keyof EnvironmentOptions, unknown>> = {}
  for (const [name, value] of Object.entries(options)) {
    const key = names[name]
    if (key !== undefined) ours[key] = value
  }
  if (options.translations === 'upper') ours.translations = shouting
  if (options.translations === 'null') ours.translations = silent
  if (options.policies?.['ext.i18n.trimmed'] === true) ours.policies = { i18nTrimmed: true }
  return new Environment({
    ...(ours as EnvironmentOptions),
    filters: plainKluctl.filters,
    loader: name => (Object.hasOwn(templates, name) ? { name, source: templates[name] ?? '' } : undefined),
  })
}

/** Renders a job of the oracle with our engine. Anything but a JinjaError is a defect and thrown. */
export function renderOurs(job: OracleJob): OracleResult {
  const context = new Map(Object.entries(job.context ?? {}).map(([key, value]) => [key, decode(value)]))
  try {
    const environment = environmentOf(job.options, job.templates)
    const template = job.named ? environment.getTemplate(job.template) : environment.fromString(job.template)
    return { output: template.render(context) }
  } catch (error) {
    if (!(error instanceof JinjaError)) throw error
    return {
      error: error.pythonType,
      message: error.message,
      name: error.templateName ?? null,
      line: error.line ?? null,
    }
  }
}

/** Classes whose message Jinja2 makes itself; Python's own messages differ from version to version. */
const worded = new Set([
  'UndefinedError',
  'TemplateSyntaxError',
  'TemplateAssertionError',
  'TemplateNotFound',
  'SecurityError',
])
/** Classes that PyYAML has and that are one here. */
const yamlErrors = new Set(['ParserError', 'ScannerError', 'ComposerError', 'ReaderError'])

/** Python's own parser refuses some templates that Jinja2 lets through; here they are syntax errors like the others. */
const syntaxErrors = new Set(['SyntaxError', 'TemplateSyntaxError', 'TemplateAssertionError'])

/** What of a result must agree: the output, or the error's class, place and (Jinja's own) message. */
function essence(result: OracleResult, withPlace: boolean): object {
  if ('output' in result) return result
  const error = yamlErrors.has(result.error) ? 'YAMLError' : result.error
  const place = withPlace ? { error, name: result.name, line: result.line } : { error }
  return worded.has(error) ? { ...place, message: result.message } : place
}

/** Undefined when our result agrees with Jinja2's, else what both are, for a test's message. */
export function difference(
  ours: OracleResult,
  theirs: OracleResult,
  withPlace = true,
): { ours: object; theirs: object } | undefined {
  if ('error' in theirs && theirs.error === 'SyntaxError' && 'error' in ours && syntaxErrors.has(ours.error)) {
    return undefined
  }
  const pair = { ours: essence(ours, withPlace), theirs: essence(theirs, withPlace) }
  return JSON.stringify(pair.ours) === JSON.stringify(pair.theirs) ? undefined : pair
}
