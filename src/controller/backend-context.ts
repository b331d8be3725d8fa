import type { BackendContext } from '../backend/backend.ts'
import { accountOf } from './account.ts'
import type { ControllerContext } from './context.ts'
import type { StatusDraft } from './status-draft.ts'
import { findProject } from './stores.ts'

/** What a backend works with; its `environment` is always as new as the last record. */
export function backendContext(
  context: ControllerContext,
  draft: StatusDraft,
  namespace: string,
  signal: AbortSignal,
  namespaceState?: BackendContext['namespaceState'],
): BackendContext {
  const { metadata } = draft.environment
  const project = findProject(context.stores, draft.environment)
  return {
    get environment() {
      return draft.environment
    },
    namespace,
    serviceAccount: draft.status.serviceAccount ?? accountOf(draft.environment),
    kube: context.kube,
    credentials: {
      own: async () => (project === undefined ? undefined : context.forges.gitCredential(project)),
      secret: name => context.forges.secret(metadata.namespace, name, 'credentials.git'),
    },
    record: facts => draft.record(facts, signal),
    clock: context.clock,
    log: context.log.child({ environment: `${metadata.namespace}/${metadata.name}` }),
    signal,
    namespaceState,
  }
}
