import type { ChangeFacts, ReviewProject, ReviewProjectSpec } from '../api/index.ts'
import { EnvironmentSettings } from '../api/index.ts'
import { InvalidInputError, type Problem } from '../util/errors.ts'
import { type CompiledProject, compiledOrThrow } from './compiled-project.ts'
import type { ConfigOverrides } from './config-file.ts'
import type { DesiredEnvironment } from './desired.ts'
import { fitName, maxLabel, namespaceNameProblem } from './names.ts'
import { renderBackend } from './render-backend.ts'
import { environmentNameProblem, labelValueProblem, urlProblem } from './rendered-checks.ts'
import { formatPath } from './schema-problems.ts'
import { neutralScopeOf, type RenderedSoFar, type ScopeInput, scopeOf } from './scope.ts'
import type { CompiledText, Rendering } from './templates.ts'

/** What an environment is rendered from. */
export interface RenderInput {
  project: Pick<ReviewProject, 'metadata' | 'spec'>
  facts: ChangeFacts
  /** Commit to deploy (`spec.revision`); default: the head that the facts tell. */
  revision?: string | undefined
  /** Name of the namespace as fixed at creation (`status.namespace`); it is not rendered again then. */
  namespace?: string | undefined
  /** What the change's config file says, where it was read. */
  config?: ConfigOverrides | undefined
}

/** The default of `environment.name`: a name that Offshoot derives, and so cuts to fit. */
const derivedName = EnvironmentSettings.parse({}).name

/**
 * Renders every template of a project for one change: `environment.name` first, then the namespace, then the URL, then
 * all the rest. Each string is rendered once, and what comes out stays a string.
 * @throws InvalidInputError with every mistake in every string
 */
export function renderDesired(input: RenderInput): DesiredEnvironment {
  const { project, facts, config } = input
  const { spec, metadata } = project
  const compiled = compiledOrThrow(spec)
  const revision = input.revision ?? facts.sha
  const scopeInput: ScopeInput = { project: metadata, facts, revision }
  const problems: Problem[] = []
  const known = renderIdentity(compiled, spec, scopeInput, input.namespace, problems)
  const rendering = renderingOf(scopeInput, known, problems)
  const labels = renderMap(compiled.labels, 'labels', rendering)
  const annotations = renderMap(compiled.annotations, 'annotations', rendering)
  const backend = renderBackend({ compiled, spec, revision, config, rendering })
  if (problems.length > 0 || backend === undefined) throw new InvalidInputError(problems)
  return {
    name: known.name,
    namespace: { name: known.namespace, labels, annotations },
    clusterRole: spec.environment.clusterRole,
    url: known.url,
    revision,
    backend,
  }
}

function renderingOf(input: ScopeInput, known: RenderedSoFar, problems: Problem[]): Rendering {
  let neutral: Rendering['scope'] | undefined
  return {
    scope: scopeOf(input, known),
    neutral: () => {
      neutral ??= neutralScopeOf(input, known)
      return neutral
    },
    problems,
    size: 0,
  }
}

/** Stands in for a name that could not be rendered, so that the other strings' own mistakes show and no others. */
const standIn: Required<RenderedSoFar> = { name: 'unknown', namespace: 'unknown', url: '' }

function renderIdentity(
  compiled: CompiledProject,
  spec: ReviewProjectSpec,
  input: ScopeInput,
  fixedNamespace: string | undefined,
  problems: Problem[],
): Required<RenderedSoFar> {
  const one = (
    known: RenderedSoFar,
    text: CompiledText,
    path: string,
    check: (value: string) => string | undefined,
  ) => {
    const value = text(renderingOf(input, known, problems))
    const message = value === undefined ? undefined : check(value)
    if (message !== undefined) problems.push({ path, message })
    return message === undefined ? value : undefined
  }
  const cut: CompiledText = rendering => {
    const value = compiled.name(rendering)
    return value !== undefined && spec.environment.name === derivedName ? fitName(value, maxLabel) : value
  }
  const name = one({}, cut, 'spec.environment.name', environmentNameProblem) ?? standIn.name
  const failed = problems.length > 0
  const check = (value: string) => (failed ? undefined : namespaceNameProblem(value))
  const namespace =
    fixedNamespace ?? one({ name }, compiled.namespace, 'spec.environment.namespace.name', check) ?? standIn.namespace
  const url = one({ name, namespace }, compiled.url, 'spec.feedback.url', urlProblem) ?? standIn.url
  return { name, namespace, url }
}

function renderMap(
  map: Record<string, CompiledText>,
  field: 'labels' | 'annotations',
  rendering: Rendering,
): Record<string, string> {
  const entries = Object.entries(map).map(([key, text]): [string, string] => {
    const value = text(rendering)
    const message = value === undefined || field === 'annotations' ? undefined : labelValueProblem(value)
    const path = formatPath(['spec', 'environment', 'namespace', field, key])
    if (message !== undefined) rendering.problems.push({ path, message })
    return [key, value ?? '']
  })
  return Object.fromEntries(entries)
}
