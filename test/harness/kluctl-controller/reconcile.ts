import { durationMilliseconds } from '../../../src/api/objects.ts'
import { mergePatch } from '../../../src/controller/patch.ts'
import type { KubeClient } from '../../../src/kube/client.ts'
import type { ObjectKey } from '../../../src/kube/types.ts'
import { messageOf } from '../../../src/util/errors.ts'
import { clusterId, deleteAll, deploy, validate } from './commands.ts'
import { gitAuthorization } from './credentials.ts'
import { type Rendered, renderProject } from './project.ts'
import { type ManualRequest, requestPrefix, requestsOf } from './requests.ts'
import type { Checkout, Sources } from './source.ts'
import {
  type Deployment,
  deployResult,
  driftResult,
  finalReady,
  now,
  objectsHash,
  projectKeyOf,
  type ResultContext,
  type Status,
  targetKeyOf,
  validateResult,
  withCondition,
} from './status.ts'

export const finalizer = 'finalizers.gitops.kluctl.io'

/** What one reconcile leads to: nothing more, another one at once, or one after the interval. */
export type Next = 'gone' | 'again' | 'interval'

/** One look at one KluctlDeployment, as the real controller does it (K1–K14). */
export class Reconcile {
  readonly #kube: KubeClient
  readonly #sources: Sources
  readonly #key: ObjectKey
  readonly #scale: number
  readonly #id = crypto.randomUUID()
  #deployment!: Deployment

  /** `scale`: what intervals are multiplied with. */
  constructor(kube: KubeClient, sources: Sources, key: ObjectKey, scale: number) {
    this.#scale = scale
    this.#kube = kube
    this.#sources = sources
    this.#key = key
  }

  async run(): Promise<Next> {
    const found = await this.#kube.get<Deployment>(this.#key)
    if (found === undefined) return 'gone'
    this.#deployment = found
    const { metadata } = found
    if (metadata.deletionTimestamp !== undefined) return this.#finalize()
    if (!metadata.finalizers?.includes(finalizer)) {
      await this.#patch({ metadata: { finalizers: [...(metadata.finalizers ?? []), finalizer] } })
      return 'again'
    }
    await this.#progress('Initializing', true)
    await this.#patchStatus({ projectKey: projectKeyOf(found) })
    const requests = requestsOf(found)
    const broken = requests.find(request => request.broken !== undefined)
    if (broken) return this.#prepareFailed(broken.broken ?? '', undefined)
    const command = requests.find(({ verb }) => verb !== 'reconcile')
    if (command) return this.#command(command)
    const asked = requests.find(({ verb }) => verb === 'reconcile')
    if (found.spec.suspend === true && !asked) {
      await this.#ready()
      return 'interval'
    }
    return this.#full(asked)
  }

  /** The account it acts as; without one, everything it may itself (K12). */
  get #account(): KubeClient {
    const { spec, metadata } = this.#deployment
    const { namespace = '' } = metadata
    if (spec.serviceAccountName === undefined) return this.#kube
    return this.#kube.as({ serviceAccount: { namespace, name: spec.serviceAccountName } })
  }

  /** Lets go of the object whatever stays behind (K6); does nothing while suspended (K7). */
  async #finalize(): Promise<Next> {
    const { spec, status = {}, metadata } = this.#deployment
    if (!metadata.finalizers?.includes(finalizer)) return 'gone'
    const discriminator = status.targetKey?.discriminator
    if (spec.delete && spec.suspend !== true && status.projectKey !== undefined && discriminator) {
      await deleteAll(this.#account, discriminator, spec.dryRun)
    }
    await this.#patch({ metadata: { finalizers: metadata.finalizers.filter(name => name !== finalizer) } })
    return 'gone'
  }

  async #prepare(): Promise<{ checkout: Checkout; rendered: Rendered } | { error: string; checkout?: Checkout }> {
    let checkout: Checkout | undefined
    try {
      const { spec, metadata } = this.#deployment
      const { url } = spec.source.git
      const opened = await gitAuthorization(this.#kube, metadata.namespace ?? '', url, spec.credentials?.git)
      checkout = await this.#sources.checkout(spec.source.git, opened)
      return { checkout, rendered: renderProject(checkout.files, spec.target, spec.args ?? {}) }
    } catch (error) {
      return { error: messageOf(error), ...(checkout === undefined ? {} : { checkout }) }
    }
  }

  async #prepareFailed(error: string, checkout: Checkout | undefined): Promise<Next> {
    await this.#patchStatus({ lastPrepareError: error })
    const message = 'prepare failed. Check status.lastPrepareError for details'
    await this.#setReady('False', 'PrepareFailed', message)
    const { generation } = this.#deployment.metadata
    await this.#patchStatus({
      ...(generation === undefined ? {} : { observedGeneration: generation }),
      ...(checkout === undefined ? {} : { observedCommit: checkout.commit }),
    })
    return 'interval'
  }

  async #command(request: ManualRequest): Promise<Next> {
    const answer = await this.#begin(request)
    const prepared = await this.#prepare()
    if ('error' in prepared) {
      await this.#finish(request, answer, undefined, prepared.error)
      return this.#prepareFailed(prepared.error, prepared.checkout)
    }
    await this.#progress(`Performing ${request.verb}`, false)
    const context = await this.#context(prepared)
    const result = request.verb === 'deploy' ? await this.#deployNow(context) : await this.#validateNow(context)
    const key = request.verb === 'deploy' ? 'lastDeployResult' : 'lastValidateResult'
    await this.#finish(request, answer, result.id)
    await this.#patchStatus({ [key]: result, observedCommit: prepared.checkout.commit })
    // The regular reconcile follows at once, and writes the conditions.
    return 'again'
  }

  async #full(request: ManualRequest | undefined): Promise<Next> {
    const answer = request && (await this.#begin(request))
    const prepared = await this.#prepare()
    if ('error' in prepared) {
      if (request && answer) await this.#finish(request, answer, undefined, prepared.error)
      return this.#prepareFailed(prepared.error, prepared.checkout)
    }
    await this.#patchStatus({ lastPrepareError: undefined })
    await this.#progress('Performing reconcile', false)
    const changes: Status & { conditions?: never } = { observedCommit: prepared.checkout.commit }
    const { generation } = this.#deployment.metadata
    if (generation !== undefined) changes.observedGeneration = generation
    try {
      const context = await this.#context(prepared)
      await this.#patchStatus({ targetKey: targetKeyOf(prepared.rendered, context.cluster) })
      await this.#deployAndValidate(context, changes)
    } catch (error) {
      // Such as an account that may not read kube-system: nothing was deployed, and nothing says so but this (K13).
      await this.#setReady('False', 'DeployFailed', `deployment status unknown`)
      if (request && answer) await this.#finish(request, answer, undefined, messageOf(error))
      await this.#patchStatus(changes)
      return 'interval'
    }
    if (request && answer) await this.#finish(request, answer, crypto.randomUUID())
    const merged = { ...this.#deployment.status, ...changes }
    const { reason, message } = finalReady(this.#deployment.spec, merged)
    await this.#setReady(reason === 'ReconciliationSucceeded' ? 'True' : 'False', reason, message)
    // The rest of the status comes after the condition, as it does from the real one (K4, K5).
    await this.#patchStatus(changes)
    return 'interval'
  }

  async #deployAndValidate(context: ResultContext, changes: Status): Promise<void> {
    const { spec, status = {}, metadata } = this.#deployment
    const hash = objectsHash(context.rendered.objects)
    const needed =
      status.lastDeployResult === undefined ||
      status.lastObjectsHash !== hash ||
      status.observedGeneration !== metadata.generation
    changes.lastObjectsHash = hash
    if (needed) {
      await this.#progress('Performing kluctl full-deploy', false)
      changes.lastDeployResult = await this.#deployNow(context)
    }
    // Once after a deploy, and then not before the interval is over, whatever else is reconciled (K2).
    if (spec.validate && (needed || this.#validationIsOld())) {
      await this.#progress('Performing kluctl validate', false)
      changes.lastValidateResult = await this.#validateNow(context)
    }
    changes.lastDriftDetectionResult = driftResult(context)
    changes.lastDriftDetectionResultMessage = 'no drift'
  }

  #validationIsOld(): boolean {
    const { spec, status = {} } = this.#deployment
    const { endTime } = (status.lastValidateResult ?? {}) as { endTime?: string }
    const interval = durationMilliseconds(spec.validateInterval ?? spec.interval) * this.#scale
    return endTime === undefined || Date.now() - Date.parse(endTime) >= interval
  }

  async #context({ checkout, rendered }: { checkout: Checkout; rendered: Rendered }): Promise<ResultContext> {
    const cluster = await clusterId(this.#account)
    return { deployment: this.#deployment, rendered, checkout, cluster, reconcileId: this.#id, started: now() }
  }

  async #deployNow(context: ResultContext) {
    const { dryRun, prune } = this.#deployment.spec
    const { objects, discriminator } = context.rendered
    return deployResult(context, await deploy(this.#account, objects, discriminator, { dryRun, prune }))
  }

  async #validateNow(context: ResultContext) {
    return validateResult(context, await validate(this.#account, context.rendered.objects))
  }

  /** Takes the request's annotation away and notes that it was begun. */
  async #begin({ verb, value }: ManualRequest): Promise<Record<string, unknown>> {
    await this.#patch({ metadata: { annotations: { [requestPrefix + verb]: null } } })
    const answer = { request: { requestValue: value }, startTime: now(), reconcileId: this.#id }
    await this.#patchStatus({ [`${verb}RequestResult`]: answer })
    return answer
  }

  async #finish({ verb }: ManualRequest, answer: object, resultId = '', commandError?: string): Promise<void> {
    const result = { ...answer, endTime: now(), resultId, ...(commandError === undefined ? {} : { commandError }) }
    await this.#patchStatus({ [`${verb}RequestResult`]: result })
  }

  async #progress(message: string, keepReady: boolean): Promise<void> {
    let conditions = this.#deployment.status?.conditions ?? []
    const old = conditions.find(({ type }) => type === 'Ready')
    const ready =
      keepReady && old ? old : { status: 'Unknown', reason: 'Progressing', message: 'Reconciliation in progress' }
    conditions = withCondition(conditions, { ...this.#observed(), ...pick(ready), type: 'Ready' })
    conditions = withCondition(conditions, {
      ...this.#observed(),
      type: 'Reconciling',
      status: 'True',
      reason: 'Progressing',
      message,
    })
    await this.#patchStatus({ conditions })
  }

  async #setReady(status: string, reason: string, message: string): Promise<void> {
    const kept = (this.#deployment.status?.conditions ?? []).filter(({ type }) => type !== 'Reconciling')
    await this.#patchStatus({
      conditions: withCondition(kept, { ...this.#observed(), type: 'Ready', status, reason, message }),
    })
  }

  /** Ends a reconcile that did nothing: the condition goes back to what it was. */
  async #ready(): Promise<void> {
    const conditions = (this.#deployment.status?.conditions ?? []).filter(({ type }) => type !== 'Reconciling')
    await this.#patchStatus({ conditions })
  }

  #observed(): { observedGeneration?: number } {
    const { generation } = this.#deployment.metadata
    return generation === undefined ? {} : { observedGeneration: generation }
  }

  async #patch(patch: object): Promise<void> {
    const generation = this.#deployment.metadata.generation
    const answer = await this.#kube.patch<Deployment>(this.#key, patch, { type: 'merge' })
    // What was begun is finished for the spec it was begun with.
    const metadata = { ...answer.metadata, ...(generation === undefined ? {} : { generation }) }
    this.#deployment = { ...this.#deployment, metadata }
  }

  /** Sends the difference, so that what a new result does not have goes away from the old one. */
  async #patchStatus(changes: Record<string, unknown>): Promise<void> {
    const before = this.#deployment.status ?? {}
    const status = mergePatch(before, { ...before, ...changes })
    if (status === undefined) return
    const options = { type: 'merge', subresource: 'status' } as const
    const answer = await this.#kube.patch<Deployment>(this.#key, { status }, options)
    this.#deployment = { ...this.#deployment, ...(answer.status === undefined ? {} : { status: answer.status }) }
  }
}

function pick({ status, reason, message }: { status: string; reason?: string; message?: string }) {
  return { status, ...(reason === undefined ? {} : { reason }), ...(message === undefined ? {} : { message }) }
}
