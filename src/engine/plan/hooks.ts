import { parseGoDuration } from '../../util/go-duration.ts'
import type { Manifest } from '../item.ts'
import { annotationOf, isAnnotated, parseBool } from './refs.ts'

/** When a hook runs: around every deployment of its item, or around the first or the later ones only. */
export type HookType =
  | 'pre-deploy'
  | 'post-deploy'
  | 'pre-deploy-initial'
  | 'post-deploy-initial'
  | 'pre-deploy-upgrade'
  | 'post-deploy-upgrade'

/** When a hook's object is deleted. */
export type DeletePolicy = 'before-hook-creation' | 'hook-succeeded' | 'hook-failed'

/** An object that is no part of what is deployed, but is applied before or after it (kluctl, docs/…/hooks.md). */
export interface Hook {
  readonly object: Manifest
  readonly types: ReadonlySet<HookType>
  /** Lower ones run first. */
  readonly weight: number
  readonly deletePolicies: ReadonlySet<DeletePolicy>
  /** Whether to wait until it is ready. */
  readonly wait: boolean
  /** Milliseconds to wait; undefined for that of the command. */
  readonly timeout: number | undefined
}

/** A hook, if the object is one, and what is wrong with its annotations. */
export interface HookReading {
  readonly hook: Hook | undefined
  readonly errors: readonly string[]
  readonly warnings: readonly string[]
}

const hookTypes: ReadonlySet<string> = new Set<HookType>([
  'pre-deploy',
  'post-deploy',
  'pre-deploy-initial',
  'post-deploy-initial',
  'pre-deploy-upgrade',
  'post-deploy-upgrade',
])

/** Helm's hooks, and what they are to Kluctl; those without a counterpart never run. */
const helmHooks: ReadonlyMap<string, HookType | undefined> = new Map([
  ['pre-install', 'pre-deploy-initial'],
  ['post-install', 'post-deploy-initial'],
  ['pre-upgrade', 'pre-deploy-upgrade'],
  ['post-upgrade', 'post-deploy-upgrade'],
  ['pre-delete', undefined],
  ['post-delete', undefined],
  ['pre-rollback', undefined],
  ['post-rollback', undefined],
])

const deletePolicies: ReadonlySet<string> = new Set<DeletePolicy>([
  'before-hook-creation',
  'hook-succeeded',
  'hook-failed',
])

/** Reads an object's hook annotations, Kluctl's and Helm's. */
export function readHook(object: Manifest): HookReading {
  if (isAnnotated(object, 'kluctl.io/delete')) return { hook: undefined, errors: [], warnings: [] }
  const errors: string[] = []
  const warnings: string[] = []
  const own = wordsOf(object, 'kluctl.io/hook')
  for (const type of own) if (!hookTypes.has(type)) errors.push(`unsupported kluctl.io/hook '${type}'`)
  const helm = wordsOf(object, 'helm.sh/hook')
  for (const type of helm) {
    if (helmHooks.get(type) === undefined) warnings.push(`unsupported helm.sh/hook '${type}'`)
  }
  const weight = weightOf(object, errors)
  const policies = policiesOf(object, errors)
  const wait = waitOf(object, errors)
  const timeout = timeoutOf(object, errors)
  // Helm's tests and the like are no hooks here, but objects to deploy.
  if (own.length === 0 && !helm.some(type => helmHooks.has(type))) return { hook: undefined, errors, warnings }
  const types = new Set([
    ...(own.filter(type => hookTypes.has(type)) as HookType[]),
    ...helm.flatMap(type => helmHooks.get(type) ?? []),
  ])
  return { hook: { object, types, weight, deletePolicies: policies, wait, timeout }, errors, warnings }
}

/** The object as a hook; undefined for objects that are none. What is wrong with it is left to {@link readHook}. */
export function hookOf(object: Manifest): Hook | undefined {
  return readHook(object).hook
}

/** Whether the hook's object is expected to be there after a deployment, as `validate` asks. */
export function isExpectedAfterwards(hook: Hook): boolean {
  return hook.types.size > 0 && !hook.deletePolicies.has('hook-succeeded')
}

/** Hooks of some types, lighter ones first; equals stay in the order of their objects. */
export function hooksOf(hooks: readonly Hook[], types: readonly HookType[]): Hook[] {
  return hooks.filter(hook => types.some(type => hook.types.has(type))).toSorted((a, b) => a.weight - b.weight)
}

function weightOf(object: Manifest, errors: string[]): number {
  const text = annotationOf(object, 'kluctl.io/hook-weight') ?? annotationOf(object, 'helm.sh/hook-weight') ?? '0'
  const weight = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN
  if (weight >= -(2 ** 31) && weight < 2 ** 31) return weight
  errors.push(`failed to parse hook weight: "${text}" is not an integer of 32 bits`)
  return 0
}

function policiesOf(object: Manifest, errors: string[]): Set<DeletePolicy> {
  const words = [...wordsOf(object, 'kluctl.io/hook-delete-policy'), ...wordsOf(object, 'helm.sh/hook-delete-policy')]
  for (const word of words) {
    if (!deletePolicies.has(word)) errors.push(`unsupported kluctl.io/hook-delete-policy '${word}'`)
  }
  if (words.length === 0) return new Set(['before-hook-creation'])
  return new Set(words.filter(word => deletePolicies.has(word)) as DeletePolicy[])
}

function waitOf(object: Manifest, errors: string[]): boolean {
  const text = annotationOf(object, 'kluctl.io/hook-wait')
  if (text === undefined) return true
  const value = parseBool(text)
  if (value === undefined) errors.push(`failed to parse annotation kluctl.io/hook-wait=${text} as bool`)
  return value ?? true
}

function timeoutOf(object: Manifest, errors: string[]): number | undefined {
  const text = annotationOf(object, 'kluctl.io/hook-timeout')
  if (text === undefined) return undefined
  const timeout = parseGoDuration(text)
  if (timeout === undefined) errors.push(`failed to parse duration: "${text}" is none such as 90s or 1h30m`)
  return timeout === 0 ? undefined : timeout
}

function wordsOf(object: Manifest, annotation: string): string[] {
  const words = (annotationOf(object, annotation) ?? '').split(',').map(word => word.trim())
  return [...new Set(words.filter(word => word !== ''))]
}
