import {
  apiVersion,
  type ChangeFacts,
  finalizer,
  identityOf,
  labels,
  managedByValue,
  type ReviewEnvironment,
  type ReviewProject,
} from '../api/index.ts'
import { environmentObjectName, labelValue } from './names.ts'

/** Labels of every object that belongs to an environment, and of the environment itself. */
export function ownLabels(project: { namespace: string; name: string }, environmentName: string) {
  return {
    [labels.managedBy]: managedByValue,
    [labels.projectNamespace]: labelValue(project.namespace),
    [labels.project]: labelValue(project.name),
    [labels.environment]: labelValue(environmentName),
  }
}

/**
 * The ReviewEnvironment that the controller makes for a change. It has its finalizer from the first moment, so that no
 * crash leaves anything behind that nobody removes.
 */
export function newEnvironment(project: Pick<ReviewProject, 'metadata'>, facts: ChangeFacts): ReviewEnvironment {
  const change = identityOf(facts)
  const name = environmentObjectName(project.metadata.name, change)
  return {
    apiVersion,
    kind: 'ReviewEnvironment',
    metadata: {
      name,
      namespace: project.metadata.namespace,
      labels: ownLabels(project.metadata, name),
      finalizers: [finalizer],
    },
    spec: { projectRef: { name: project.metadata.name }, change, origin: 'automatic', revision: facts.sha },
  }
}
