import { KubeError } from '../../kube/errors.ts'
import type { ListOptions } from '../../kube/list.ts'
import { parallel } from '../../util/parallel.ts'
import type { Manifest } from '../item.ts'
import { apiVersionOf, groupKindOf, makeRef, noObject } from '../plan/refs.ts'
import type { ApiKind } from '../plan/types.ts'
import { Retrier } from './retrying.ts'
import type { ClusterContext } from './types.ts'

/** Requests at a time; what is too much for the API server, its own priority and fairness puts off. */
export const requestsAtOnce = 24

/** Milliseconds for a kind that fails: a broken extension server must not hold up every deployment. */
const retryDeadline = 1_500

/** Whole objects come in smaller pages: 500 large Secrets are more than one answer should hold. */
const pageOfWhole = 100

// kluctl's words, up to the point where they end to help: its users look for them.
const fellBack =
  'listing objects by discriminator on global level failed due to permission errors, so Kluctl reverted to listing on ' +
  'namespace level: orphan objects outside of the namespaces that are used stay unseen'
const notAllowed =
  'at least one permission error was encountered while gathering objects by discriminator labels. This might result ' +
  'in orphan object detection to not work properly'

/** Which objects are listed. */
export interface ListRequest {
  readonly discriminator: string
  readonly kinds: readonly ApiKind[]
  /** Kinds (`groupKindOf`) whose objects are wanted whole; metadata is enough of the others. */
  readonly whole: ReadonlySet<string>
  /** Where to look when the account may not list a kind in the whole cluster. */
  readonly namespaces: readonly string[]
  /** Whether the account is meant to see these namespaces and no more: nothing else is asked for. */
  readonly confined: boolean
}

/**
 * All objects with the discriminator, of all kinds at once. A kind that fails is a warning about this kind; a kind that
 * the account may not list in the whole cluster is listed in the given namespaces.
 * @throws the signal's reason when aborted
 */
export async function listByDiscriminator(context: ClusterContext, request: ListRequest): Promise<Manifest[]> {
  const { progress, problems } = context
  const end = progress.start('Getting remote objects by discriminator')
  const retrier = new Retrier(context, retryDeadline)
  const { confined } = request
  const kinds = request.kinds.filter(kind => kind.verbs.includes('list') && (kind.namespaced || !confined))
  const seen = { failed: 0, forbidden: 0, fallback: 0 }
  try {
    const lists = await parallel(kinds, requestsAtOnce, async kind => {
      try {
        if (confined) return await listInNamespaces(context, retrier, kind, request)
        return await list(context, retrier, kind, request)
      } catch (error) {
        context.signal.throwIfAborted()
        if (error instanceof KubeError && error.isNotFound) return []
        seen.failed++
        if (isRefusal(error)) {
          seen.forbidden++
          const found = await listInNamespaces(context, retrier, kind, request)
          seen.fallback += found.length
          return found
        }
        problems.addWarning(makeRef(kind.group, kind.version, kind.kind, ''), error)
        return []
      }
    })
    if (seen.fallback > 0) problems.addWarning(noObject, fellBack)
    if (seen.forbidden > 0) problems.addWarning(noObject, notAllowed)
    if (seen.failed > 0) progress.warn(`Getting remote objects by discriminator: Failed with ${seen.failed} errors`)
    end('done')
    return lists.flat()
  } catch (error) {
    end('failed')
    throw error
  }
}

/** Whether the account lacks a right. */
export function isRefusal(error: unknown): boolean {
  return error instanceof KubeError && (error.isForbidden || error.isUnauthorized)
}

async function list(
  context: ClusterContext,
  retrier: Retrier,
  kind: ApiKind,
  { discriminator, whole }: ListRequest,
  namespace?: string,
): Promise<Manifest[]> {
  const { kube, signal } = context
  const isWhole = whole.has(groupKindOf(kind))
  const options: ListOptions = {
    labelSelector: `kluctl.io/discriminator=${discriminator}`,
    metadataOnly: !isWhole,
    ...(isWhole ? { limit: pageOfWhole } : {}),
    namespace,
    signal,
  }
  const gvk = { apiVersion: apiVersionOf({ ...kind, name: '' }), kind: kind.kind }
  const { items } = await retrier.run(() => kube.list(gvk, options), signal)
  return items as unknown as Manifest[]
}

/** What a lesser account can see. Namespaces where it may not list the kind either show nothing. */
async function listInNamespaces(
  context: ClusterContext,
  retrier: Retrier,
  kind: ApiKind,
  request: ListRequest,
): Promise<Manifest[]> {
  if (!kind.namespaced) return []
  const lists = await parallel(request.namespaces, requestsAtOnce, async namespace => {
    try {
      return await list(context, retrier, kind, request, namespace)
    } catch (error) {
      context.signal.throwIfAborted()
      if (isRefusal(error) || (error instanceof KubeError && error.isNotFound)) return []
      context.problems.addWarning(makeRef(kind.group, kind.version, kind.kind, '', namespace), error)
      return []
    }
  })
  return lists.flat()
}
