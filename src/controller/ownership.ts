import { annotations, type ReviewEnvironment } from '../api/index.ts'
import { ownLabels } from '../environment/new-environment.ts'
import type { KubeObject } from '../kube/types.ts'

/** `<project namespace>/<project>/<environment>`: the owner annotation's value. */
export function ownerOf(environment: ReviewEnvironment): string {
  const { namespace, name } = environment.metadata
  return `${namespace}/${environment.spec.projectRef.name}/${name}`
}

/** Labels and annotations by which everything the controller makes for an environment is known. */
export function ownMetadata(environment: ReviewEnvironment) {
  const project = { namespace: environment.metadata.namespace, name: environment.spec.projectRef.name }
  return {
    labels: ownLabels(project, environment.metadata.name),
    annotations: {
      [annotations.owner]: ownerOf(environment),
      [annotations.ownerUid]: environment.metadata.uid ?? '',
    },
  }
}

/** Whether the object was made for this very environment, not for one of the same name before it. */
export function isOwnedBy(object: KubeObject, environment: ReviewEnvironment): boolean {
  const { [annotations.owner]: owner, [annotations.ownerUid]: uid } = object.metadata.annotations ?? {}
  return owner === ownerOf(environment) && uid !== undefined && uid === environment.metadata.uid
}

/** Whose an object is, for messages. */
export function ownerText(object: KubeObject): string {
  const owner = object.metadata.annotations?.[annotations.owner]
  return owner === undefined ? 'it was not made by Offshoot' : `it belongs to ${owner}`
}

/** An owner annotation taken apart; undefined for anything else. */
export function parseOwner(
  object: KubeObject,
): { namespace: string; project: string; name: string; uid: string } | undefined {
  const { [annotations.owner]: owner = '', [annotations.ownerUid]: uid = '' } = object.metadata.annotations ?? {}
  const [namespace = '', project = '', name = '', ...rest] = owner.split('/')
  if (namespace === '' || project === '' || name === '' || uid === '' || rest.length > 0) return undefined
  return { namespace, project, name, uid }
}
