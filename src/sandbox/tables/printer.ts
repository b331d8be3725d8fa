import type { KubeObject } from '../../kube/types.ts'

/** One column of a table. */
export interface ColumnDefinition {
  name: string
  type: string
  format: string
  description: string
  priority: number
}

/** What `kubectl get` prints of a kind: columns besides the name, and their cells. */
export interface Printer {
  columns: readonly Partial<ColumnDefinition>[]
  cells(object: KubeObject, now: number): unknown[]
}
