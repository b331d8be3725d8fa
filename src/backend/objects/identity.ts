import type { InventoryEntry } from '../../api/index.ts'
import type { KubeClient } from '../../kube/client.ts'
import { type ObjectKey, splitApiVersion } from '../../kube/types.ts'
import type { ForeseeContext } from '../backend.ts'

/** What makes two references the same object: group and kind without the version, namespace and name. */
export function identityOf({ apiVersion, kind, namespace = '', name }: ObjectKey | InventoryEntry): string {
  return [splitApiVersion(apiVersion)[0], kind, namespace, name].join('/')
}

/** Acts as an account of the project's namespace; absent: the environment's own. */
export function clientOf(
  context: Pick<ForeseeContext, 'environment' | 'kube' | 'serviceAccount'>,
  account: string | undefined,
): KubeClient {
  const { namespace } = context.environment.metadata
  return context.kube.as({ serviceAccount: { namespace, name: account ?? context.serviceAccount } })
}

/** The key of an inventory's entry. */
export function entryKey({ apiVersion, kind, namespace, name }: InventoryEntry): ObjectKey {
  return { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) }
}
