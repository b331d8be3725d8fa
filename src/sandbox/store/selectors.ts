import type { KubeObject } from '../../kube/types.ts'
import { badRequest } from '../errors.ts'

/** Whether an object matches. */
export type Matcher = (object: KubeObject) => boolean

interface LabelSelector {
  matchLabels?: Record<string, string>
  matchExpressions?: { key: string; operator: string; values?: string[] }[]
}

type Labels = Record<string, string>

const setBased = /^\s*([^\s!=(),]+)\s+(in|notin)\s*\(([^()]*)\)\s*$/
const equality = /^\s*([^\s!=(),<>]+)\s*(==|=|!=|<|>)\s*([^\s!=(),<>]*)\s*$/
const existence = /^\s*(!?)\s*([^\s!=(),<>]+)\s*$/
const maxSelector = 64 << 10

/**
 * The labels that a selector in a query asks for: `a=b,c!=d,e in (f,g),h,!i`.
 * @throws StatusError (400)
 */
export function parseLabelSelector(text: string): (labels: Labels) => boolean {
  if (text.length > maxSelector) throw badRequest('the label selector is too long')
  const tests = splitOutsideParentheses(text).map(part => {
    const test = parseRequirement(part)
    if (!test) throw badRequest(`unable to parse requirement: ${JSON.stringify(part.trim())} is no label selector`)
    return test
  })
  return labels => tests.every(test => test(labels))
}

function parseRequirement(part: string): ((labels: Labels) => boolean) | undefined {
  const set = setBased.exec(part)
  if (set) {
    const [, key = '', operator, list = ''] = set
    const values = new Set(list.split(',').map(value => value.trim()))
    return operator === 'in'
      ? l => has(l, key) && values.has(l[key] ?? '')
      : l => !has(l, key) || !values.has(l[key] ?? '')
  }
  const equal = equality.exec(part)
  if (equal) {
    const [, key = '', operator, value = ''] = equal
    if (operator === '!=') return labels => labels[key] !== value
    if (operator === '<') return labels => Number(labels[key]) < Number(value)
    if (operator === '>') return labels => Number(labels[key]) > Number(value)
    return labels => has(labels, key) && labels[key] === value
  }
  const exists = existence.exec(part)
  if (!exists) return undefined
  const [, not, key = ''] = exists
  return not === '!' ? labels => !has(labels, key) : labels => has(labels, key)
}

function has(labels: Labels, key: string): boolean {
  return Object.hasOwn(labels, key)
}

function splitOutsideParentheses(text: string): string[] {
  if (text.trim() === '') return []
  const parts: string[] = []
  let depth = 0
  let start = 0
  for (let index = 0; index < text.length; index++) {
    const letter = text[index]
    if (letter === '(') depth++
    else if (letter === ')') depth--
    else if (letter === ',' && depth === 0) {
      parts.push(text.slice(start, index))
      start = index + 1
    }
  }
  parts.push(text.slice(start))
  return parts
}

/** Whether labels match a `metav1.LabelSelector`; an empty selector matches everything. */
export function matchesSelector(selector: LabelSelector | undefined, labels: Labels = {}): boolean {
  if (!selector) return false
  const { matchLabels = {}, matchExpressions = [] } = selector
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      if (operator === 'In') return has(labels, key) && values.includes(labels[key] ?? '')
      if (operator === 'NotIn') return !has(labels, key) || !values.includes(labels[key] ?? '')
      return operator === 'Exists' ? has(labels, key) : !has(labels, key)
    })
  )
}

/** Fields besides name and namespace that can be selected by, as the API server's kinds declare them. */
const selectable: Readonly<Record<string, readonly string[]>> = {
  pods: [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
    'status.phase',
    'status.podIP',
    'status.nominatedNodeName',
  ],
  events: [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'involvedObject.apiVersion',
    'involvedObject.resourceVersion',
    'involvedObject.fieldPath',
    'reason',
    'reportingComponent',
    'source',
    'type',
    'regarding.kind',
    'regarding.namespace',
    'regarding.name',
    'regarding.uid',
  ],
  namespaces: ['status.phase'],
  nodes: ['spec.unschedulable'],
  secrets: ['type'],
  services: ['spec.clusterIP', 'spec.type'],
  'jobs.batch': ['status.successful'],
  'replicasets.apps': ['status.replicas'],
  replicationcontrollers: ['status.replicas'],
}

/**
 * The field selector of a query: `metadata.name=a,status.phase!=Running`.
 * @throws StatusError (400) for a field that its kind cannot be selected by
 */
export function parseFieldSelector(text: string, storage: string): Matcher {
  if (text.length > maxSelector) throw badRequest('the field selector is too long')
  const tests = text
    .split(',')
    .filter(part => part.trim() !== '')
    .map(part => {
      const match = /^\s*([\w.]+)\s*(==|=|!=)\s*(.*?)\s*$/.exec(part)
      if (!match) throw badRequest(`invalid selector: '${part}'; can't understand '${part}'`)
      const [, field = '', operator, value = ''] = match
      if (!['metadata.name', 'metadata.namespace', ...(selectable[storage] ?? [])].includes(field)) {
        throw badRequest(`field label not supported: ${field}`)
      }
      const path = field.split('.')
      return (object: KubeObject) => (fieldText(object, path) === value) !== (operator === '!=')
    })
  return object => tests.every(test => test(object))
}

function fieldText(object: KubeObject, path: readonly string[]): string {
  let at: unknown = object
  for (const name of path)
    at = typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[name] : undefined
  return typeof at === 'string' ? at : at === undefined || at === null ? '' : JSON.stringify(at)
}
