import { isDeepStrictEqual } from 'node:util'
import type { KubeObject } from '../../kube/types.ts'
import type { FieldProblem } from '../errors.ts'
import { invalidValue, problem } from '../schema/validate.ts'
import { matchesSelector } from '../store/selectors.ts'
import type { Resource } from './resource.ts'

interface Template {
  metadata?: { labels?: Record<string, string> }
  spec?: PodSpec
}

interface PodSpec {
  containers?: { name?: string; image?: string }[]
  initContainers?: { name?: string; image?: string }[]
}

interface WorkloadSpec {
  selector?: Parameters<typeof matchesSelector>[0]
  template?: Template
  ports?: { port?: number; name?: string }[]
  type?: string
}

const selecting = new Set(['deployments.apps', 'replicasets.apps', 'statefulsets.apps', 'daemonsets.apps'])

/** What in a workload, a pod or a service breaks the rules of its kind. */
export function workloadProblems(
  object: KubeObject,
  before: KubeObject | undefined,
  resource: Resource,
): FieldProblem[] {
  const spec = (object.spec ?? {}) as WorkloadSpec
  if (selecting.has(resource.storage)) {
    return [...selectorProblems(object, before), ...podProblems(spec.template?.spec, 'spec.template.spec')]
  }
  if (resource.storage === 'jobs.batch') return podProblems(spec.template?.spec, 'spec.template.spec')
  if (resource.storage === 'pods') return podProblems(object.spec as PodSpec | undefined, 'spec')
  if (resource.storage === 'services') return servicePorts(spec)
  return []
}

function selectorProblems(object: KubeObject, before: KubeObject | undefined): FieldProblem[] {
  const { selector, template } = (object.spec ?? {}) as WorkloadSpec
  const problems: FieldProblem[] = []
  if (!matchesSelector(selector, template?.metadata?.labels)) {
    const text = '`selector` does not match template `labels`'
    problems.push(invalidValue('spec.template.metadata.labels', template?.metadata?.labels ?? {}, text))
  }
  const old = (before?.spec as WorkloadSpec | undefined)?.selector
  if (before && !isDeepStrictEqual(old, selector)) {
    problems.push(invalidValue('spec.selector', selector, 'field is immutable'))
  }
  return problems
}

function podProblems(spec: PodSpec | undefined, path: string): FieldProblem[] {
  const { containers = [], initContainers = [] } = spec ?? {}
  const problems: FieldProblem[] = []
  if (containers.length === 0) problems.push(problem(`${path}.containers`, 'FieldValueRequired', 'Required value'))
  const seen = new Set<string>()
  for (const [list, field] of [
    [containers, 'containers'],
    [initContainers, 'initContainers'],
  ] as const) {
    for (const [index, { name = '', image }] of list.entries()) {
      const place = `${path}.${field}[${index}]`
      if (seen.has(name))
        problems.push(problem(`${place}.name`, 'FieldValueDuplicate', `Duplicate value: ${JSON.stringify(name)}`))
      seen.add(name)
      if (!image) problems.push(problem(`${place}.image`, 'FieldValueRequired', 'Required value'))
    }
  }
  return problems
}

function servicePorts({ ports = [], type }: WorkloadSpec): FieldProblem[] {
  const problems: FieldProblem[] = []
  if (ports.length === 0 && type !== 'ExternalName') {
    problems.push(problem('spec.ports', 'FieldValueRequired', 'Required value'))
  }
  for (const [index, { port = 0, name }] of ports.entries()) {
    if (port < 1 || port > 65_535) {
      problems.push(invalidValue(`spec.ports[${index}].port`, port, 'must be between 1 and 65535, inclusive'))
    }
    if (ports.length > 1 && !name)
      problems.push(problem(`spec.ports[${index}].name`, 'FieldValueRequired', 'Required value'))
  }
  return problems
}
