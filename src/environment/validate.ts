import { z } from 'zod'
import { apiVersion, backendNames, type ChangeFacts, type ReviewProject, ReviewProjectSpec } from '../api/index.ts'
import { InvalidInputError, type Problem } from '../util/errors.ts'
import { compileProject } from './compiled-project.ts'
import { metadataProblems, specProblems } from './project-rules.ts'
import { renderDesired } from './render.ts'
import { schemaProblems } from './schema-problems.ts'
import type { YamlDocument } from './yaml-source.ts'

/** A project that is fit for use, or everything that is wrong with it. */
export type CheckedProject = { project: ReviewProject; problems?: never } | { project?: never; problems: Problem[] }

/** A whole ReviewProject as written by a person. `metadata` and `status` belong to Kubernetes and stay loose. */
const ReviewProjectInput = z.strictObject({
  apiVersion: z.literal(apiVersion),
  kind: z.literal('ReviewProject'),
  metadata: z.looseObject({ name: z.string().min(1), namespace: z.string().min(1).optional() }),
  spec: ReviewProjectSpec,
  status: z.unknown().optional(),
})

const defaultNamespace = 'default'

/**
 * Checks a ReviewProject as strictly as can be without a cluster or a Git host: unknown fields, types, limits, rules
 * between fields, globs and expressions; and it renders every template for a sample pull request and a sample branch,
 * so that undefined variables and unfit names show. Gives the project with its defaults filled in.
 * A missing namespace is taken for `default`, as kubectl does. With a document, problems have line and column.
 */
export function checkProject(input: unknown, document?: YamlDocument): CheckedProject {
  const parsed = ReviewProjectInput.safeParse(input)
  if (!parsed.success) return { problems: schemaProblems(parsed.error, ReviewProjectInput, input, document) }
  const { metadata, spec } = parsed.data
  const project: ReviewProject = {
    ...(input as Record<string, unknown>),
    apiVersion,
    kind: 'ReviewProject',
    metadata: { ...metadata, namespace: metadata.namespace ?? defaultNamespace },
    spec,
  }
  const problems = projectProblems(project)
  return problems.length === 0 ? { project } : { problems: problems.map(problem => placed(problem, document)) }
}

/**
 * Everything that is wrong with a project whose fields have the right types, as the API server lets through: what a
 * controller reports in the project's status.
 */
export function projectProblems(project: Pick<ReviewProject, 'metadata' | 'spec'>): Problem[] {
  const names = metadataProblems(project.metadata)
  const found = [...names, ...specProblems(project.spec), ...compileProject(project.spec).problems]
  // A wrong name or template would be told again by each string that uses it.
  const readable = names.length === 0 && compileProject(project.spec).problems.length === 0
  return readable ? [...found, ...sampleProblems(project)] : found
}

const sample = {
  sha: '0123456789abcdef0123456789abcdef01234567',
  labels: ['sample'],
  draft: false,
  fork: false,
  url: 'https://git.example.com/sample/change',
}

/** Ordinary changes to render a project for: what fails for these fails for all. */
export const sampleChanges: Record<'pullRequest' | 'branch', ChangeFacts> = {
  pullRequest: {
    ...sample,
    kind: 'pullRequest',
    number: 12345,
    branch: 'feature/sample',
    base: 'main',
    author: 'sample-author',
    title: 'Add a sample',
    createdAt: '2024-01-01T00:00:00Z',
  },
  branch: { ...sample, kind: 'branch', branch: 'feature/sample' },
}

/** Mistakes that show when the project is rendered for each kind of change that it makes environments for. */
function sampleProblems(project: Pick<ReviewProject, 'metadata' | 'spec'>): Problem[] {
  const { deploy, changes } = project.spec
  // Told by the rules already.
  if (backendNames.filter(name => deploy[name] !== undefined).length !== 1) return []
  const kinds = (['pullRequest', 'branch'] as const).filter(kind =>
    kind === 'pullRequest' ? changes.pullRequests : changes.branches || !changes.pullRequests,
  )
  const found = new Map<string, Problem>()
  for (const kind of kinds) {
    for (const problem of problemsOf(project, sampleChanges[kind])) {
      if (!found.has(problem.path)) found.set(problem.path, problem)
    }
  }
  return [...found.values()]
}

function problemsOf(project: Pick<ReviewProject, 'metadata' | 'spec'>, facts: ChangeFacts): readonly Problem[] {
  try {
    renderDesired({ project, facts })
    return []
  } catch (error) {
    if (error instanceof InvalidInputError) return error.problems
    throw error
  }
}

function placed(problem: Problem, document: YamlDocument | undefined): Problem {
  return document ? { ...problem, ...document.positionOf(parsePath(problem.path)) } : problem
}

/** The steps of a path that `formatPath` made. */
function parsePath(path: string): (string | number)[] {
  const steps = path.matchAll(/\[("(?:[^"\\]|\\.)*")\]|\[(\d+)\]|([^.[\]]+)/g)
  return [...steps].map(([, quoted, index, word]) =>
    quoted !== undefined ? (JSON.parse(quoted) as string) : index !== undefined ? Number(index) : (word ?? ''),
  )
}
