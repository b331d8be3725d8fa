import type { KubeObject } from '../../kube/types.ts'
import { age } from './cells.ts'
import type { Printer } from './printer.ts'

type Json = Record<string, unknown>

const ageColumn = { name: 'Age', type: 'string' }
const ageOf = (object: KubeObject, now: number) => age(object.metadata.creationTimestamp, now)
const at = (object: unknown, ...path: string[]): unknown =>
  path.reduce((value, name) => (value as Json | undefined)?.[name], object)
const number = (object: unknown, ...path: string[]): number => Number(at(object, ...path) ?? 0)

/** A printer of plain columns that ends with the age. */
function withAge(columns: Printer['columns'], cells: (object: KubeObject, now: number) => unknown[]): Printer {
  return { columns: [...columns, ageColumn], cells: (object, now) => [...cells(object, now), ageOf(object, now)] }
}

const text = (name: string) => ({ name, type: 'string' })
const count = (name: string) => ({ name, type: 'integer' })

/** Columns of built-in kinds; wide ones (`-o wide`) are left out. A kind that is missing prints when it was created. */
export const builtInPrinters: Readonly<Record<string, Printer>> = {
  namespaces: withAge([text('Status')], object => [at(object, 'status', 'phase')]),
  configmaps: withAge([count('Data')], object => [
    Object.keys((object.data ?? {}) as Json).length + Object.keys((object.binaryData ?? {}) as Json).length,
  ]),
  secrets: withAge([text('Type'), count('Data')], object => [
    object.type,
    Object.keys((object.data ?? {}) as Json).length,
  ]),
  serviceaccounts: withAge([], () => []),
  services: withAge([text('Type'), text('Cluster-IP'), text('External-IP'), text('Port(s)')], object => [
    at(object, 'spec', 'type'),
    at(object, 'spec', 'clusterIP') ?? '<none>',
    at(object, 'spec', 'externalName') ?? '<none>',
    ports(at(object, 'spec', 'ports') as ServicePort[] | undefined),
  ]),
  pods: withAge([text('Ready'), text('Status'), text('Restarts')], object => {
    const containers = (at(object, 'spec', 'containers') ?? []) as unknown[]
    const states = (at(object, 'status', 'containerStatuses') ?? []) as { ready?: boolean }[]
    const status = object.metadata.deletionTimestamp === undefined ? at(object, 'status', 'phase') : 'Terminating'
    return [`${states.filter(({ ready }) => ready).length}/${containers.length}`, status, '0']
  }),
  'deployments.apps': withAge([text('Ready'), text('Up-to-date'), text('Available')], object => [
    `${number(object, 'status', 'readyReplicas')}/${number(object, 'spec', 'replicas')}`,
    number(object, 'status', 'updatedReplicas'),
    number(object, 'status', 'availableReplicas'),
  ]),
  'replicasets.apps': withAge([count('Desired'), count('Current'), count('Ready')], object => [
    number(object, 'spec', 'replicas'),
    number(object, 'status', 'replicas'),
    number(object, 'status', 'readyReplicas'),
  ]),
  'statefulsets.apps': withAge([text('Ready')], object => [
    `${number(object, 'status', 'readyReplicas')}/${number(object, 'spec', 'replicas')}`,
  ]),
  'daemonsets.apps': withAge(
    ['Desired', 'Current', 'Ready', 'Up-to-date', 'Available'].map(count).concat(text('Node Selector')),
    object => [
      number(object, 'status', 'desiredNumberScheduled'),
      number(object, 'status', 'currentNumberScheduled'),
      number(object, 'status', 'numberReady'),
      number(object, 'status', 'updatedNumberScheduled'),
      number(object, 'status', 'numberAvailable'),
      '<none>',
    ],
  ),
  'jobs.batch': withAge([text('Status'), text('Completions'), text('Duration')], (object, now) => [
    at(object, 'status', 'completionTime') === undefined ? 'Running' : 'Complete',
    `${number(object, 'status', 'succeeded')}/${number(object, 'spec', 'completions')}`,
    age(at(object, 'status', 'startTime') as string | undefined, now),
  ]),
  'ingresses.networking.k8s.io': withAge([text('Class'), text('Hosts'), text('Address'), text('Ports')], object => [
    at(object, 'spec', 'ingressClassName') ?? '<none>',
    ((at(object, 'spec', 'rules') ?? []) as { host?: string }[]).map(({ host }) => host ?? '*').join(',') || '*',
    '',
    at(object, 'spec', 'tls') === undefined ? '80' : '80, 443',
  ]),
  'rolebindings.rbac.authorization.k8s.io': withAge([text('Role')], roleOf),
  'clusterrolebindings.rbac.authorization.k8s.io': withAge([text('Role')], roleOf),
  'leases.coordination.k8s.io': withAge([text('Holder')], object => [at(object, 'spec', 'holderIdentity') ?? '']),
  events: {
    columns: ['Last Seen', 'Type', 'Reason', 'Object', 'Message'].map(text),
    cells: (object, now) => {
      const seen = object.lastTimestamp ?? object.eventTime ?? object.firstTimestamp
      const subject = (object.involvedObject ?? object.regarding) as { kind?: string; name?: string } | undefined
      return [
        age(typeof seen === 'string' ? seen : undefined, now),
        object.type,
        object.reason,
        `${subject?.kind?.toLowerCase()}/${subject?.name}`,
        textOf(object.message ?? object.note).trim(),
      ]
    },
  },
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function roleOf(object: KubeObject): unknown[] {
  return [`${String(at(object, 'roleRef', 'kind'))}/${String(at(object, 'roleRef', 'name'))}`]
}

interface ServicePort {
  port: number
  protocol?: string
  nodePort?: number
}

function ports(list: ServicePort[] | undefined): string {
  if (!list || list.length === 0) return '<none>'
  return list
    .map(({ port, protocol = 'TCP', nodePort }) => `${port}${nodePort ? `:${nodePort}` : ''}/${protocol}`)
    .join(',')
}
