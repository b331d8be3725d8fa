import { apiVersion } from '../api/index.ts'
import type { ReviewProject } from '../api/project.ts'
import type { Problem } from '../util/errors.ts'
import { quote } from './names.ts'
import { checkProject } from './validate.ts'
import { readYaml, type YamlDocument } from './yaml-source.ts'

/** Longest file of projects that is read, in bytes. */
export const maxProjectFileBytes = 4 * 1024 * 1024

/** What a YAML file with ReviewProjects holds. */
export interface CheckedFile {
  /** Projects without a mistake, with defaults filled in, in the order of the file. */
  projects: ReviewProject[]
  /** Every mistake of every project, with file, line and column. */
  problems: Problem[]
  /** Objects of other kinds, which were not looked at. */
  skipped: { kind: string; line: number }[]
}

/**
 * Checks every ReviewProject in a YAML file of one or more documents. Objects of other kinds are left out and named;
 * a file without any ReviewProject, and a duplicated key, alias or tag, is a mistake.
 */
export function checkProjectFile(text: string, file: string): CheckedFile {
  const source = readYaml(text, { maxBytes: maxProjectFileBytes, file })
  const result: CheckedFile = { projects: [], problems: [...source.problems], skipped: [] }
  let looked = 0
  for (const document of source.documents) {
    if (document.value == null) continue
    const other = otherKind(document)
    if (other !== undefined) {
      result.skipped.push({ kind: other, line: document.positionOf(['kind']).line })
      continue
    }
    looked++
    const checked = checkProject(document.value, document)
    if (checked.project) result.projects.push(checked.project)
    else result.problems.push(...checked.problems.map(problem => ({ ...problem, file })))
  }
  if (looked === 0 && result.problems.length === 0) {
    const got = result.skipped.length === 0 ? 'an empty file' : result.skipped.map(({ kind }) => quote(kind)).join(', ')
    result.problems.push({ path: '', message: `expected a ReviewProject (${apiVersion}), got ${got}`, file })
  }
  return result
}

/** The kind of an object that is of another API; undefined for what is, or should be, a ReviewProject. */
function otherKind({ value }: YamlDocument): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { apiVersion: api, kind } = value as Record<string, unknown>
  if (typeof api !== 'string' || typeof kind !== 'string') return undefined
  return api !== apiVersion && !/^review-?projects?$/i.test(kind) ? kind : undefined
}
