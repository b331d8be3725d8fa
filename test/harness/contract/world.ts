import { randomBytes } from 'node:crypto'
import type { KubeClient } from '../../../src/kube/client.ts'
import type { KubeObject } from '../../../src/kube/types.ts'

/** An API server that the contract is held against. */
export interface ContractWorld {
  /** The administrator's client. */
  readonly client: () => KubeClient
  /** Path of the administrator's kubeconfig. */
  readonly kubeconfig: () => string
}

/** Creates a namespace that nobody else has. */
export async function freshNamespace(world: ContractWorld): Promise<string> {
  const name = `contract-${randomBytes(4).toString('hex')}`
  await world.client().create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  return name
}

export type ConfigMap = KubeObject & { data?: Record<string, string> }

export const mapKind = { apiVersion: 'v1', kind: 'ConfigMap' }

export function configMap(
  namespace: string,
  name: string,
  data: Record<string, string> = {},
  meta: object = {},
): ConfigMap {
  return { ...mapKind, metadata: { namespace, name, ...meta }, data }
}

export const mapKey = (namespace: string, name: string) => ({ ...mapKind, namespace, name })
