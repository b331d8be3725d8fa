import { annotations, type ReviewEnvironment } from '../api/index.ts'
import { ownLabels } from '../environment/new-environment.ts'
import type { KubeObject } from '../kube/types.ts'

/** Labels and annotations that say whose an object is. */
export interface Ownership {
  labels: Record<string, string>
  annotations: Record<string, string>
}

/** What a backend puts on everything it makes for an environment. */
export function ownershipOf(environment: ReviewEnvironment): Ownership {
  const { namespace, name, uid } = environment.metadata
  const project = environment.spec.projectRef.name
  return {
    labels: ownLabels({ namespace, name: project }, name),
    annotations: {
      [annotations.owner]: `${namespace}/${project}/${name}`,
      ...(uid === undefined ? {} : { [annotations.ownerUid]: uid }),
    },
  }
}

/**
 * Whether a backend made the object for this very environment. The digest tells what a backend applied from the
 * namespace and the account, which carry the owner too but are the controller's business.
 */
export function isOurs(object: KubeObject, environment: ReviewEnvironment): boolean {
  const found = object.metadata.annotations ?? {}
  const wanted = ownershipOf(environment).annotations
  return (
    found[annotations.digest] !== undefined &&
    Object.entries(wanted).every(([annotation, value]) => found[annotation] === value)
  )
}

/** Whose an object is, for messages. */
export function ownerText(object: KubeObject): string {
  const owner = object.metadata.annotations?.[annotations.owner]
  return owner === undefined ? 'exists and was not made by Offshoot' : `exists and belongs to ${owner}`
}
