import { fieldManager } from '../api/index.ts'
import type { DesiredEnvironment, DesiredKluctlDeployment } from '../environment/desired.ts'
import type { KubeObject } from '../kube/types.ts'
import { OffshootError, TerminalError } from '../util/errors.ts'
import type { Backend, BackendContext } from './backend.ts'
import { type Discriminators, judgeDiscriminator, type Verdict } from './kluctl/discriminators.ts'
import { observeDeployment } from './kluctl/observe.ts'
import { mendRequests } from './kluctl/requests.ts'
import { deploymentKey, type KluctlDeployment, parseDeployment, progressOf, readDeployment } from './kluctl/resource.ts'
import { buildDeployment, type Mode, modeOf, pinnedCommit } from './kluctl/spec.ts'
import { teardownDeployment } from './kluctl/teardown.ts'
import { isOurs, ownerText } from './ownership.ts'
import { refusalOf, throwRefusals } from './refusals.ts'

/** What `apply` left behind for the `observe` of the same reconcile. */
interface Seen {
  deployment: KluctlDeployment
  verdict?: Verdict
}

/**
 * Backend `kluctlDeployment`: writes a KluctlDeployment that the kluctl controller carries out as the environment's
 * account. Every new commit or argument is first written as a dry run, and only when the discriminator it tells is
 * this environment's own (and recorded) may kluctl deploy, prune and delete.
 */
export function kluctlDeploymentBackend(discriminators: Discriminators): Backend {
  const seen = new WeakMap<BackendContext, Seen>()
  return {
    name: 'kluctlDeployment',
    async apply(context, desired) {
      const result = await applyDeployment(context, desired, discriminators)
      if (result) seen.set(context, result)
    },
    async observe(context, desired) {
      const known = seen.get(context) ?? (await look(context, desired, discriminators))
      seen.delete(context)
      return observeDeployment(context, backendOf(desired), pinnedCommit(desired, backendOf(desired)), known)
    },
    teardown: context => teardownDeployment(context, discriminators),
  }
}

function backendOf({ backend }: DesiredEnvironment): DesiredKluctlDeployment {
  if (backend.kind !== 'kluctlDeployment') {
    throw new OffshootError(`backend kluctlDeployment was asked for ${backend.kind}`)
  }
  return backend
}

async function applyDeployment(
  context: BackendContext,
  desired: DesiredEnvironment,
  discriminators: Discriminators,
): Promise<Seen | undefined> {
  const backend = backendOf(desired)
  const forms = formsOf(context, desired, backend)
  const found = await readDeployment(context)
  if (found !== undefined && !isOurs(found.object, context.environment)) {
    throw new TerminalError('NotOurs', `KluctlDeployment ${found.object.metadata.name} ${ownerText(found.object)}`)
  }
  // What is being deleted is made anew when it is gone.
  if (found?.object.metadata.deletionTimestamp !== undefined) return { deployment: found }
  if (found === undefined || needsCheck(found, forms, context)) {
    return { deployment: await write(context, forms.check, found) }
  }
  if (await mendRequests(context, found)) return undefined
  if (modeOf(found, forms) === 'live') return { deployment: found }
  const verdict = await verdictOf(context, desired, found, discriminators)
  if (verdict === undefined || !verdict.ok) return { deployment: found, ...(verdict && { verdict }) }
  await recordDiscriminator(context, verdict.discriminator)
  return { deployment: await write(context, forms.live, found) }
}

function formsOf(context: BackendContext, desired: DesiredEnvironment, backend: DesiredKluctlDeployment) {
  return {
    check: buildDeployment(context, desired, backend, 'check'),
    live: buildDeployment(context, desired, backend, 'live'),
  }
}

/** Anything unlike what is wanted goes back to the dry run, and so does a live deployment with a strange discriminator. */
function needsCheck(
  found: KluctlDeployment,
  forms: Record<Mode, KubeObject>,
  { environment }: BackendContext,
): boolean {
  const mode = modeOf(found, forms)
  if (mode === undefined) return true
  const discriminator = found.status.targetKey?.discriminator
  const recorded = environment.status?.discriminators ?? []
  return mode === 'live' && discriminator !== undefined && !recorded.includes(discriminator)
}

/** Judges what the dry run told; undefined while it has told nothing yet. */
async function verdictOf(
  context: BackendContext,
  desired: DesiredEnvironment,
  found: KluctlDeployment,
  discriminators: Discriminators,
): Promise<Verdict | undefined> {
  if (found.spec.dryRun !== true || found.status.targetKey === undefined) return undefined
  if (progressOf(found, pinnedCommit(desired, backendOf(desired))).at !== 'done') return undefined
  const { metadata, status } = context.environment
  const discriminator = found.status.targetKey.discriminator ?? ''
  const recorded = status?.discriminators ?? []
  const { name: deployment = '', creationTimestamp: created = '', uid = '' } = found.object.metadata
  const others = await discriminators.claim(discriminator, {
    namespace: metadata.namespace,
    environment: metadata.name,
    deployment,
    created,
    uid,
    recorded: recorded.includes(discriminator),
  })
  if (others.length > 0) context.log.warn({ discriminator, others }, 'discriminator belongs to others')
  return judgeDiscriminator(discriminator, recorded, others, metadata.namespace)
}

async function recordDiscriminator(context: BackendContext, discriminator: string): Promise<void> {
  const recorded = context.environment.status?.discriminators ?? []
  if (!recorded.includes(discriminator)) await context.record({ discriminators: [...recorded, discriminator] })
}

/** With the uid of what was read, the server refuses to write to another object that took its name since. */
async function write(
  context: BackendContext,
  form: KubeObject,
  found: KluctlDeployment | undefined,
): Promise<KluctlDeployment> {
  const uid = found?.object.metadata.uid
  const exact = uid === undefined ? form : { ...form, metadata: { ...form.metadata, uid } }
  try {
    return parseDeployment(
      await context.kube.apply<KubeObject>(exact, {
        fieldManager,
        fieldValidation: 'Strict',
        // The object is ours: a hand that turned prune or delete on must not keep us from turning it off.
        force: true,
        signal: context.signal,
      }),
    )
  } catch (error) {
    throwRefusals([refusalOf(deploymentKey(context), error)])
    throw error
  }
}

/** What `observe` needs when no `apply` went before it. */
async function look(
  context: BackendContext,
  desired: DesiredEnvironment,
  discriminators: Discriminators,
): Promise<Seen | undefined> {
  const deployment = await readDeployment(context)
  if (deployment === undefined) return undefined
  const verdict = await verdictOf(context, desired, deployment, discriminators)
  return { deployment, ...(verdict && { verdict }) }
}
