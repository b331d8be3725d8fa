import type { KubeClient } from '../../../src/kube/client.ts'
import { uniqueName } from '../cluster.ts'

const crdKind = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' }

/** Kinds that no other test has; they go with `dispose`. */
export class CustomKinds {
  readonly #kube: KubeClient
  readonly #names: string[] = []

  constructor(kube: KubeClient) {
    this.#kube = kube
  }

  /** A namespaced kind `Table` of a group of its own: its CRD, and an object of it. */
  make(namespace: string, options: { schema?: Record<string, unknown>; subresources?: object } = {}) {
    const { schema = {}, subresources } = options
    const group = `${uniqueName('g')}.example.com`
    const name = `tables.${group}`
    this.#names.push(name)
    const openAPIV3Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: schema }
    const version = { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema }, subresources }
    const names = { kind: 'Table', listKind: 'TableList', plural: 'tables', singular: 'table' }
    const crd = { ...crdKind, metadata: { name }, spec: { group, scope: 'Namespaced', names, versions: [version] } }
    const object = {
      apiVersion: `${group}/v1`,
      kind: 'Table',
      metadata: { name: 'table', namespace },
      spec: { legs: 4 },
    }
    return { crd, object, key: { apiVersion: object.apiVersion, kind: 'Table', namespace, name: 'table' } }
  }

  /** The CRD as the cluster has it. */
  crd(name: string) {
    return this.#kube.get({ ...crdKind, name })
  }

  async dispose(): Promise<void> {
    for (const name of this.#names) await this.#kube.delete({ ...crdKind, name })
  }
}
