import type { Problem } from '../util/errors.ts'
import type { RenderedObject } from './desired.ts'
import { isLabelValue, isQualifiedName, maxLabel, maxName, namespaceNameProblem, quote } from './names.ts'
import { formatPath } from './schema-problems.ts'
import { unsafeText } from './unsafe-text.ts'
import type { FieldPath } from './yaml-source.ts'

/** Why the text cannot be `environment.name`, or undefined if it can. */
export function environmentNameProblem(name: string): string | undefined {
  if (name.trim() === '') return 'expected a name for the environment, got an empty one'
  if (name.length > maxName) return `expected at most ${maxName} characters, got ${name.length}: ${quote(name)}`
  const unsafe = unsafeText(name)
  return unsafe && `the name ${quote(name)} is refused: ${unsafe}`
}

const maxUrl = 2048

/** Why the text cannot be an environment's address, or undefined if it can; an empty one says that there is none. */
export function urlProblem(url: string): string | undefined {
  if (url === '') return undefined
  if (url.length > maxUrl) return `expected at most ${maxUrl} characters, got ${url.length}`
  if (unsafeText(url) !== undefined || /[\s<>"'`\\]/.test(url))
    return `expected a URL without spaces, quotes and template markers, got ${quote(url)}`
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (!parsed || !/^https?:\/\//i.test(url))
    return `expected a URL that begins with http:// or https://, or nothing, got ${quote(url)}`
  if (parsed.username !== '' || parsed.password !== '') return 'expected a URL without user name and password'
  const label = parsed.hostname.split('.').find(part => part.length > maxLabel)
  return (
    label &&
    `expected at most ${maxLabel} characters in each part of the host name, got ${label.length}: ${quote(label)}`
  )
}

/** Why the text cannot be the name of a Kluctl target or of a kubeconfig's context, or undefined if it can. */
export function targetProblem(target: string, what: 'target' | 'context'): string | undefined {
  return /^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,252}$/.test(target)
    ? undefined
    : `expected the name of a ${what} (letters, digits and ._:/@+-, at most 253), got ${quote(target)}`
}

/** Why the text cannot be a label's value, or undefined if it can. */
export function labelValueProblem(value: string): string | undefined {
  return isLabelValue(value)
    ? undefined
    : `expected a label value (at most ${maxLabel} letters, digits, dashes, underscores and dots), got ${quote(value)}`
}

/** Domains whose labels and annotations mean something to the cluster; a project must not set them on a namespace. */
const reserved = /(^|\.)(kubernetes\.io|k8s\.io|openshift\.io|offshoot\.dev)\//

/**
 * Why a project must not set this label or annotation on its namespaces, or undefined when it may. A namespace's
 * labels decide what may run in it, so those of the platform are not the project's to choose; it may only ask for the
 * strictest pod security, and be described by the common `app.kubernetes.io` labels.
 */
export function namespaceKeyProblem(key: string, template: string): string | undefined {
  if (!isQualifiedName(key)) return `expected a key such as team or example.com/team, got ${quote(key)}`
  if (key === 'pod-security.kubernetes.io/enforce' && template === 'restricted') return undefined
  if (/^pod-security\.kubernetes\.io\/(warn|audit)(-version)?$/.test(key)) return undefined
  if (key.startsWith('app.kubernetes.io/') && key !== 'app.kubernetes.io/managed-by') return undefined
  return reserved.test(key) ? `expected a key of your own, got ${quote(key)}, which is reserved` : undefined
}

/** What is wrong with a rendered object before any server sees it. */
export function manifestProblems(manifest: unknown, at: FieldPath): Problem[] {
  const problems: Problem[] = []
  const add = (path: FieldPath, message: string | undefined) => {
    if (message !== undefined) problems.push({ path: formatPath([...at, ...path]), message })
  }
  const { apiVersion, kind, metadata } = manifest as RenderedObject
  add(['apiVersion'], shape(apiVersion, /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?v[a-z0-9]+$/, 'such as v1 or apps/v1'))
  add(['kind'], shape(kind, /^[A-Z][A-Za-z0-9]{0,62}$/, 'such as ConfigMap'))
  if (typeof kind === 'string' && kind.endsWith('List') && Array.isArray((manifest as RenderedObject).items)) {
    add(['kind'], `expected one object per entry, got a ${kind}`)
  }
  add(
    ['metadata', 'name'],
    shape(
      metadata?.name,
      /^(?!\.{1,2}$)[^\s/%{}\p{Cc}]{1,253}$/u,
      'of at most 253 characters, without spaces, slashes and %',
    ),
  )
  if (metadata?.namespace !== undefined) add(['metadata', 'namespace'], namespaceText(metadata.namespace))
  problems.push(...metadataMaps(metadata, at))
  return problems
}

function shape(value: unknown, pattern: RegExp, example: string): string | undefined {
  if (typeof value === 'string' && pattern.test(value)) return undefined
  return `expected text ${example}, got ${typeof value === 'string' ? quote(value) : typeof value}`
}

function namespaceText(value: unknown): string | undefined {
  if (typeof value !== 'string') return `expected the name of a namespace, got ${typeof value}`
  // The reserved ones are refused by the API server: the account is not bound there.
  return /^(default|kube-)/.test(value) ? undefined : namespaceNameProblem(value)
}

function metadataMaps(metadata: RenderedObject['metadata'] | undefined, at: FieldPath): Problem[] {
  return (['labels', 'annotations'] as const).flatMap(field => {
    const map: unknown = metadata?.[field]
    if (map === undefined || map === null) return []
    const path = [...at, 'metadata', field]
    if (typeof map !== 'object' || Array.isArray(map))
      return [{ path: formatPath(path), message: 'expected an object' }]
    return Object.entries(map).flatMap(([key, value]: [string, unknown]) => {
      const message = mapEntryProblem(field, key, value)
      return message === undefined ? [] : [{ path: formatPath([...path, key]), message }]
    })
  })
}

function mapEntryProblem(field: 'labels' | 'annotations', key: string, value: unknown): string | undefined {
  if (!isQualifiedName(key)) return `expected a key such as team or example.com/team, got ${quote(key)}`
  if (typeof value !== 'string') return `expected a string, got ${value === null ? 'null' : typeof value}`
  return field === 'labels' ? labelValueProblem(value) : undefined
}
