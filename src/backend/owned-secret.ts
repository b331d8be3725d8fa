import { managedByValue, labels as ownLabels } from '../api/index.ts'
import { type KubeObject, keyOf } from '../kube/types.ts'

/** What is in a Secret of the controller's, and what is said of it. */
export interface SecretContents {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  /** In base64. */
  readonly data: Readonly<Record<string, string>>
}

/**
 * A Secret beside its owner that goes with it, in the form that config/rbac/admission.yaml lets the controller write: its
 * name has to begin with `offshoot-git-`.
 */
export function ownedSecret(
  owner: KubeObject,
  name: string,
  { labels, annotations, data }: SecretContents,
): KubeObject {
  const { apiVersion, kind, namespace, name: ownerName } = keyOf(owner)
  const { uid = '' } = owner.metadata
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      ...(namespace === undefined ? {} : { namespace }),
      name,
      labels: { ...labels, [ownLabels.managedBy]: managedByValue },
      ...(annotations === undefined ? {} : { annotations: { ...annotations } }),
      ownerReferences: [{ apiVersion, kind, name: ownerName, uid, controller: true }],
    },
    type: 'Opaque',
    data,
  }
}
