import {
  annotations,
  type BackendName,
  type ChangeFacts,
  type Claim,
  type ReviewEnvironment,
  type ReviewProject,
} from '../api/index.ts'
import type { BackendRecord } from '../backend/backend.ts'
import { renderDesired } from '../environment/render.ts'
import { messageOf, TerminalError } from '../util/errors.ts'
import { accountOf } from './account.ts'
import type { ControllerContext } from './context.ts'
import { markPending } from './environment-state.ts'
import { isOwnedBy } from './ownership.ts'
import type { StatusDraft } from './status-draft.ts'

/** Bytes of the largest claim; what would be larger is recorded in the status before anything is made. */
const maxClaim = 8 << 10

/**
 * The environment with a note of what its first reconcile will make: it is created with it, which saves the write that
 * would have to come before the first object. One that cannot be foreseen claims nothing.
 */
export async function claiming(
  context: ControllerContext,
  project: ReviewProject,
  environment: ReviewEnvironment,
  facts: ChangeFacts,
  signal: AbortSignal,
): Promise<ReviewEnvironment> {
  const claim = await foresee(context, project, environment, facts, signal)
  const text = JSON.stringify(claim)
  if (claim === undefined || Buffer.byteLength(text) > maxClaim) return environment
  const { metadata } = environment
  const noted = { ...metadata.annotations, [annotations.claim]: text }
  return { ...environment, metadata: { ...metadata, annotations: noted } }
}

async function foresee(
  context: ControllerContext,
  project: ReviewProject,
  environment: ReviewEnvironment,
  facts: ChangeFacts,
  signal: AbortSignal,
): Promise<Claim | undefined> {
  try {
    const config = context.commits.knownOverrides(project, facts)
    const desired = renderDesired({ project, facts, config })
    const { kind } = desired.backend
    const serviceAccount = accountOf(environment)
    const { name: namespace } = desired.namespace
    const where = { environment, namespace, serviceAccount, kube: context.kube, signal }
    const { inventory = [] } = (await context.backends[kind].foresee?.(where, desired)) ?? {}
    if (inventory.some(({ serviceAccountName }) => serviceAccountName !== undefined)) return undefined
    return { namespace, backend: kind, ...(inventory.length === 0 ? {} : { inventory }) }
  } catch (error) {
    signal.throwIfAborted()
    // The first reconcile does the same, meets the same, and says so where people look.
    context.log.debug({ environment: environment.metadata.name, error: messageOf(error) }, 'nothing is claimed')
    return undefined
  }
}

/** Records what will be made, before it is made: a crash in between leaves nothing that a teardown does not know of. */
export async function claim(
  { stores }: ControllerContext,
  draft: StatusDraft,
  facts: { namespace: string; serviceAccount: string; backend: BackendName },
  foreseen: () => Promise<Pick<BackendRecord, 'inventory'>>,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, serviceAccount, backend, times } = draft.status
  const known = namespace === undefined ? undefined : stores.namespaces.get(undefined, namespace)
  // What was claimed and not made, as one waited for its place, may be claimed anew.
  const isMade = times?.namespaceCreated !== undefined || (known !== undefined && isOwnedBy(known, draft.environment))
  if (isMade && backend !== undefined && backend !== facts.backend) {
    throw new TerminalError(
      'BackendChanged',
      `deployed by ${backend}, and the project now asks for ${facts.backend}: delete this environment to have it made anew`,
    )
  }
  const sameNamespace = namespace === facts.namespace && serviceAccount === facts.serviceAccount
  if (sameNamespace && backend === facts.backend) return
  markPending(draft, 'Preparing', `preparing namespace ${facts.namespace}`)
  const inventory = isMade && backend !== undefined ? {} : { inventory: undefined, ...(await foreseen()) }
  await draft.record({ ...facts, ...inventory }, signal)
}
