import { createHash } from 'node:crypto'
import type { ChangeFacts, ChangeIdentity } from '../api/change.ts'

/** Longest DNS label (RFC 1123), namespace name and label value. */
export const maxLabel = 63
/** Longest slug of a change: leaves room for a project's name in a namespace's name. */
export const maxSlug = 40
/** Longest name of most Kubernetes objects (RFC 1123 subdomain). */
export const maxName = 253

const hashLength = 8

/** The first `length` hex digits of the text's sha256. */
export function shortHash(text: string, length = hashLength): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length)
}

/** Lower-case letters, digits and single dashes that resemble the text; empty if nothing of it can be kept. */
function slugify(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
}

/** `text` cut to `length` characters; ends on no separator. */
function cut(text: string, length: number): string {
  return text.slice(0, Math.max(0, length)).replace(/[^A-Za-z0-9]+$/, '')
}

/**
 * The name itself if it has at most `max` characters, else its beginning and the hash of all of it.
 * Two long names that begin alike stay apart. @throws RangeError when `max` has no room for a hash.
 */
export function fitName(name: string, max: number): string {
  if (max < hashLength) throw new RangeError(`a fitted name needs at least ${hashLength} characters, not ${max}`)
  if (name.length <= max) return name
  const head = cut(name, max - hashLength - 1)
  return head === '' ? shortHash(name) : `${head}-${shortHash(name)}`
}

/**
 * The change as part of a name: `pr-42`, or a branch as `feature-x-1a2b3c4d`, where the hash is of the whole branch
 * name, so that branches that read alike stay apart. A DNS label of at most `maxSlug` characters.
 */
export function changeSlug(change: Pick<ChangeFacts, 'kind' | 'number' | 'branch'> | ChangeIdentity): string {
  const number = 'kind' in change ? (change.kind === 'pullRequest' ? change.number : undefined) : change.pullRequest
  if (number !== undefined) return `pr-${number}`
  const branch = change.branch ?? ''
  const head = cut(slugify(branch), maxSlug - hashLength - 1)
  return `${head === '' ? 'branch' : head}-${shortHash(branch)}`
}

/**
 * Name of the ReviewEnvironment of a change: `shop-pr-42`, `shop-br-feature-x-1a2b3c4d`. At most 63 characters, so that
 * it can be a label's value; it depends on the project's name and the change's identity alone. Names of two changes
 * can only meet if 8 hex digits of a sha256 do: whoever looks an environment up compares `spec.change` too.
 */
export function environmentObjectName(projectName: string, change: ChangeIdentity): string {
  const tail = change.pullRequest !== undefined ? changeSlug(change) : `br-${changeSlug(change)}`
  const full = `${projectName}-${tail}`
  if (full.length <= maxLabel && !projectName.includes('.')) return full
  // The hash stands for the project here; the change keeps its own part whole.
  const room = maxLabel - tail.length - hashLength - 2
  const head = cut(projectName.replaceAll('.', '-'), room)
  return [head, shortHash(projectName), tail].filter(part => part !== '').join('-')
}

/** The value as a label's value: itself where it is one, else what can be kept of it and a hash. */
export function labelValue(value: string): string {
  if (isLabelValue(value)) return value
  const kept = value.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '')
  const head = cut(kept, maxLabel - hashLength - 1)
  return head === '' ? shortHash(value) : `${head}-${shortHash(value)}`
}

/** Name of the environment's own ServiceAccount, in the project's namespace. */
export function accountName(environmentName: string): string {
  return fitName(`offshoot-${environmentName}`, maxLabel)
}

/** Name of the environment's KluctlDeployment, in the project's namespace. */
export function kluctlDeploymentName(environmentName: string): string {
  return fitName(environmentName, maxLabel)
}

/** Name of the Secret with the Git credential that is made for a project, beside it. */
export function gitSecretName(projectName: string): string {
  return fitName(`offshoot-git-${projectName}`, maxName)
}

/** Whether the text may be a label's value. */
export function isLabelValue(value: string): boolean {
  return value.length <= maxLabel && /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/.test(value)
}

/** Whether the text may be the key of a label or annotation: an optional DNS prefix and a name. */
export function isQualifiedName(key: string): boolean {
  const slash = key.indexOf('/')
  const prefix = slash === -1 ? undefined : key.slice(0, slash)
  const name = key.slice(slash + 1)
  const prefixOk = prefix === undefined || (prefix.length <= maxName && isSubdomain(prefix))
  return prefixOk && name.length > 0 && isLabelValue(name)
}

/** Whether the text is an RFC 1123 subdomain, as most objects' names are. */
export function isSubdomain(name: string): boolean {
  return name.length <= maxName && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(name)
}

/** Why the text cannot be a namespace's name, or undefined if it can. */
export function namespaceNameProblem(name: string): string | undefined {
  if (name === '') return 'expected a name for the namespace, got an empty one'
  if (name.length > maxLabel) {
    return `expected at most ${maxLabel} characters for a namespace, got ${name.length}: ${quote(name)}`
  }
  if (!/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name)) {
    return `expected lower-case letters, digits and dashes, beginning and ending with a letter or digit (a DNS label), got ${quote(name)}`
  }
  if (name.startsWith('kube-') || name === 'default')
    return `expected a namespace of its own, got the reserved ${quote(name)}`
  return undefined
}

/** Text in quotes for a message: escaped, and cut after 80 characters. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text)
}
