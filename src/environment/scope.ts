import type { ChangeFacts } from '../api/change.ts'
import { HostObject, Undefined, type Value } from '../jinja/index.ts'
import { changeSlug } from './names.ts'
import { unsafeText } from './unsafe-text.ts'

/** The variables of a template: `project`, `change` and `environment`. */
export type Scope = Readonly<Record<string, Value>>

/** Digits of `change.shortSha`, as Git and GitHub abbreviate by default. */
const shortShaLength = 7

/** What templates may use, for messages. */
export const scopeFields = {
  project: ['name', 'namespace'],
  change: ['kind', 'number', 'branch', 'base', 'author', 'title', 'sha', 'shortSha', 'slug', 'labels', 'fork', 'url'],
  environment: ['name', 'namespace', 'url'],
} as const

/** Fields of the environment that are rendered already; templates of the others come later. */
export interface RenderedSoFar {
  name?: string
  namespace?: string
  url?: string
}

/** What the scope is made from. */
export interface ScopeInput {
  project: { name: string; namespace: string }
  facts: ChangeFacts
  /** The commit to deploy. */
  revision: string
}

/**
 * The variables of a project's templates for one change. A fact that the change lacks, or that holds what a second
 * template engine would take for code, is an undefined value that tells its reason to whoever uses it: a title with
 * `{{` in it harms nobody until a template asks for the title.
 */
export function scopeOf(input: ScopeInput, environment: RenderedSoFar): Scope {
  return {
    project: new HostObject('project', new Map(Object.entries(projectFields(input)))),
    change: changeObject(input, value => value),
    environment: environmentObject(environment),
  }
}

/** The same scope with what template markers are made of taken out of every fact from the forge. */
export function neutralScopeOf(input: ScopeInput, environment: RenderedSoFar): Scope {
  return {
    ...scopeOf(input, environment),
    change: changeObject(input, value => value.replace(/[{}%#]/g, '_')),
  }
}

function projectFields({ project }: ScopeInput): Record<string, Value> {
  return { name: project.name, namespace: project.namespace }
}

function changeObject({ facts, revision }: ScopeInput, map: (text: string) => string): HostObject {
  const text = (field: string, value: string | undefined): Value =>
    value === undefined ? lacking(field, facts) : guarded(`change.${field}`, value, map)
  const fields: Record<(typeof scopeFields.change)[number], Value> = {
    kind: facts.kind,
    number: facts.number ?? lacking('number', facts),
    branch: text('branch', facts.branch),
    base: text('base', facts.base),
    author: text('author', facts.author),
    title: text('title', facts.title),
    sha: revision,
    shortSha: revision.slice(0, shortShaLength),
    slug: changeSlug(facts),
    labels: facts.labels.map((label, index) => guarded(`change.labels[${index}]`, label, map)),
    fork: facts.fork,
    url: text('url', facts.url),
  }
  return new HostObject('change', new Map(Object.entries(fields)))
}

function guarded(name: string, value: string, map: (text: string) => string): Value {
  const unsafe = unsafeText(value)
  return unsafe === undefined
    ? map(value)
    : new Undefined('strict', name, undefined, `the value of ${name} is refused: ${unsafe}`)
}

function lacking(field: string, facts: ChangeFacts): Undefined {
  const why = facts.kind === 'branch' ? 'this change is a branch' : 'the Git host does not tell it'
  return new Undefined('strict', field, undefined, `change.${field} is undefined: ${why}`)
}

function environmentObject(environment: RenderedSoFar): HostObject {
  const order = 'environment.name is rendered first, then environment.namespace, then environment.url'
  const fields = scopeFields.environment.map((field): [string, Value] => [
    field,
    environment[field] ??
      new Undefined('strict', field, undefined, `environment.${field} cannot be used here: ${order}`),
  ])
  return new HostObject('environment', new Map(fields))
}
