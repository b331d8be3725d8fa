import type { ZodType, z } from 'zod'
import { formatProblem, type Problem } from '../../util/errors.ts'
import { EngineError } from '../errors.ts'
import type { Json } from '../values.ts'
import { parseYaml, YamlError, type YamlText } from '../yaml.ts'

/** A file of the project with mistakes in it: all of them, each with file, line, column and field. */
export class ConfigError extends EngineError {
  override readonly name = 'ConfigError'
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    super(problems.map(formatProblem).join('\n'))
    this.problems = problems
  }
}

/**
 * Reads a YAML text by a schema. @throws ConfigError with everything that is wrong
 * @param file how messages name the text
 */
export function parseConfig<Schema extends ZodType>(text: string, file: string, schema: Schema): z.output<Schema> {
  let source: YamlText
  try {
    source = parseYaml(text)
  } catch (error) {
    if (!(error instanceof YamlError)) throw error
    const message = `error converting YAML to JSON: ${error.message}`
    throw new ConfigError([{ file, ...(error.line === undefined ? {} : { line: error.line }), path: '', message }])
  }
  return checkConfig(source.value, schema, path => ({ file, ...source.position(path) }))
}

/** Judges a value that was read already. @param base where it stands in what people wrote @throws ConfigError */
export function checkConfig<Schema extends ZodType>(
  value: Json,
  schema: Schema,
  place: (path: readonly (string | number)[]) => { file?: string; line?: number; column?: number } = () => ({}),
  base: readonly (string | number)[] = [],
): z.output<Schema> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw new ConfigError(
    result.error.issues.flatMap(issue => {
      const path = issue.path.map(key => (typeof key === 'number' ? key : String(key)))
      if (issue.code !== 'unrecognized_keys')
        return [{ ...place(path), path: fieldPath([...base, ...path]), message: issue.message }]
      return issue.keys.map(key => {
        const message = `json: unknown field ${JSON.stringify(key)}; ${issue.message}`
        return { ...place([...path, key]), path: fieldPath([...base, ...path, key]), message }
      })
    }),
  )
}

/** `deployments[0].path` */
export function fieldPath(path: readonly (string | number)[]): string {
  return path
    .map(key => (typeof key === 'number' ? `[${key}]` : /^[\w-]+$/.test(key) ? `.${key}` : `["${key}"]`))
    .join('')
    .replace(/^\./, '')
}
