import { ConfigFile } from '../api/config-file.ts'
import type { ReviewProjectSpec } from '../api/project.ts'
import { InvalidInputError, type Problem } from '../util/errors.ts'
import { formatPath, schemaProblems } from './schema-problems.ts'
import { unsafeText } from './unsafe-text.ts'
import { type FieldPath, readYaml, type YamlDocument } from './yaml-source.ts'

/** Longest config file that is read, in bytes. */
export const maxConfigFileBytes = 64 * 1024

/** What a branch changes about its environment, limited to what the project allows. */
export type ConfigOverrides = ConfigFile

/**
 * Reads the config file of a branch. It is data from outside: nothing in it is rendered, texts that hold template
 * markers or control characters are refused, and so is everything that `spec.configFile.allow` does not name.
 * An empty file says nothing. @throws InvalidInputError with every mistake and its line
 */
export function readConfigFile(text: string, settings: ReviewProjectSpec['configFile']): ConfigOverrides {
  const source = readYaml(text, { maxBytes: maxConfigFileBytes, file: settings.path })
  const [document, second] = source.documents
  const problems = [...source.problems]
  if (second) problems.push({ path: '', message: 'expected one document', ...second.positionOf([]) })
  if (problems.length > 0) throw new InvalidInputError(inFile(problems, settings.path))
  if (document?.value == null) return {}
  const parsed = ConfigFile.safeParse(document.value)
  if (!parsed.success) problems.push(...schemaProblems(parsed.error, ConfigFile, document.value, document))
  problems.push(...refusedFields(document, settings.allow), ...unsafeValues(document))
  if (problems.length > 0 || !parsed.success) throw new InvalidInputError(inFile(problems, settings.path))
  return parsed.data
}

function inFile(problems: readonly Problem[], file: string): Problem[] {
  return problems.map(problem => ({ ...problem, file }))
}

/** The fields that the file sets and the project does not allow. */
function refusedFields(document: YamlDocument, allow: readonly string[]): Problem[] {
  const { value } = document
  if (!isRecord(value)) return []
  const fields: FieldPath[] = [
    ...(isRecord(value.args) ? Object.keys(value.args).map(name => ['args', name]) : []),
    ...['images', 'enabled'].filter(name => value[name] !== undefined).map(name => [name]),
  ]
  const allowed = allow.length === 0 ? 'nothing' : allow.join(', ')
  return fields
    .filter(field => !allow.includes(field.join('.')))
    .map(field => ({
      path: formatPath(field),
      message: `the project does not allow a branch to set this; it allows ${allowed} (spec.configFile.allow)`,
      ...document.positionOf(field),
    }))
}

/** Values that cannot be passed on: they hold template markers or control characters, or JSON has no form for them. */
function unsafeValues(document: YamlDocument): Problem[] {
  const problems: Problem[] = []
  const check = (value: unknown, at: FieldPath): void => {
    const reason = reasonAgainst(value)
    if (reason) problems.push({ path: formatPath(at), message: reason, ...document.positionOf(at) })
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) check(item, [...at, index])
    } else if (isRecord(value)) {
      for (const [key, item] of Object.entries(value)) {
        const unsafeKey = unsafeText(key)
        if (unsafeKey)
          problems.push({ path: formatPath(at), message: `a key is refused: ${unsafeKey}`, ...document.positionOf(at) })
        check(item, [...at, key])
      }
    }
  }
  check(document.value, [])
  return problems
}

function reasonAgainst(value: unknown): string | undefined {
  if (typeof value === 'string') {
    const unsafe = unsafeText(value, { layout: true })
    return unsafe && `the value is refused: ${unsafe}`
  }
  if (typeof value === 'number' && !Number.isFinite(value)) return 'expected a finite number'
  return undefined
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
