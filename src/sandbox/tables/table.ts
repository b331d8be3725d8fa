import type { KubeObject } from '../../kube/types.ts'
import type { Api } from '../api.ts'
import type { Column, Resource } from '../kinds/resource.ts'
import { builtInPrinters } from './built-in.ts'
import { cellOf } from './cells.ts'
import type { ColumnDefinition, Printer } from './printer.ts'

/** `meta.k8s.io/v1` Table: what `kubectl get` prints. */
export interface Table {
  kind: 'Table'
  apiVersion: 'meta.k8s.io/v1'
  metadata: Record<string, unknown>
  columnDefinitions: ColumnDefinition[]
  rows: { cells: unknown[]; object?: unknown }[]
}

const nameColumn: ColumnDefinition = { name: 'Name', type: 'string', format: 'name', description: '', priority: 0 }

/** The objects as a table. @param revision resourceVersion of the answer; 0 for none */
export function tableOf(
  objects: readonly KubeObject[],
  resource: Resource,
  api: Api,
  options: { includeObject: string },
  revision: number,
): Table {
  const printer = printerOf(resource)
  const now = api.clock.now()
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: revision === 0 ? {} : { resourceVersion: String(revision) },
    columnDefinitions: [
      nameColumn,
      ...printer.columns.map(column => ({
        name: '',
        type: 'string',
        format: '',
        description: '',
        priority: 0,
        ...column,
      })),
    ],
    rows: objects.map(object => ({
      cells: [object.metadata.name, ...printer.cells(object, now)],
      ...rowObject(object, options.includeObject),
    })),
  }
}

function rowObject(object: KubeObject, include: string): { object?: unknown } {
  if (include === 'None') return {}
  if (include === 'Object') return { object }
  return { object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata } }
}

function printerOf(resource: Resource): Printer {
  if (resource.custom) return customPrinter(resource.custom.columns)
  return builtInPrinters[resource.storage] ?? createdPrinter
}

const createdPrinter: Printer = {
  columns: [{ name: 'Created At', type: 'date' }],
  cells: object => [object.metadata.creationTimestamp],
}

function customPrinter(columns: readonly Column[]): Printer {
  return {
    columns: columns.map(({ name, type, format = '', description = '', priority = 0 }) => ({
      name,
      type,
      format,
      description,
      priority,
    })),
    cells: (object, now) => columns.map(column => cellOf(object, column, now)),
  }
}
