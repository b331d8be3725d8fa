import {
  apiVersion,
  type ChangeIdentity,
  type Condition,
  type ConditionType,
  type EnvironmentState,
  findCondition,
  type ReviewEnvironment,
} from '../../src/api/index.ts'
import { isReady } from '../../src/cli/env-progress.ts'
import { environmentObjectName } from '../../src/environment/names.ts'
import type { KubeObject, ObjectKey } from '../../src/kube/types.ts'
import type { House } from './house-model.ts'
import { type WaitOptions, waitFor } from './wait.ts'

/** A pull request (or its number) or a branch. */
export type Followed = { number: number } | { branch: string } | number

/** What one environment is expected to become. Each wait has a deadline and says what was seen last. */
export class EnvironmentProbe {
  readonly #house: House
  readonly #key: ObjectKey & { namespace: string }

  constructor(house: House, project: string, followed: Followed) {
    this.#house = house
    const name = environmentObjectName(project, identity(followed))
    this.#key = { apiVersion, kind: 'ReviewEnvironment', namespace: house.namespace, name }
  }

  get name(): string {
    return this.#key.name
  }

  /** As it is now; undefined when there is none. */
  get(): Promise<ReviewEnvironment | undefined> {
    return this.#house.kube.get<ReviewEnvironment & KubeObject>(this.#key)
  }

  /** Ready with the commit it should have, and with `sha` where one is given. */
  toBeReady(sha?: string, options: WaitOptions = {}): Promise<ReviewEnvironment> {
    const what = sha === undefined ? 'ready' : `ready with ${sha}`
    return this.toMatch(found => isReady(found) && (sha === undefined || found.spec.revision === sha), what, options)
  }

  /** In this state. */
  toBe(state: EnvironmentState, options: WaitOptions = {}): Promise<ReviewEnvironment> {
    return this.toMatch(found => found.status?.state === state, state, options)
  }

  /** There, and as the condition wants it. */
  async toMatch(
    condition: (found: ReviewEnvironment) => boolean,
    what: string,
    options: WaitOptions = {},
  ): Promise<ReviewEnvironment> {
    const look = async () => {
      const found = await this.get()
      return found !== undefined && condition(found) ? found : undefined
    }
    return waitFor(look, { deadline: 60_000, describe: () => this.#describe(what), ...options })
  }

  /** Gone, with its namespace and its account. */
  async toBeGone(options: WaitOptions = {}): Promise<void> {
    const last = await this.get()
    const { namespace, serviceAccount } = last?.status ?? {}
    const look = async () => {
      if ((await this.get()) !== undefined) return false
      const { kube } = this.#house
      const left = await Promise.all([
        namespace === undefined ? undefined : kube.get({ apiVersion: 'v1', kind: 'Namespace', name: namespace }),
        serviceAccount === undefined
          ? undefined
          : kube.get({
              apiVersion: 'v1',
              kind: 'ServiceAccount',
              namespace: this.#key.namespace,
              name: serviceAccount,
            }),
      ])
      return left.every(object => object === undefined)
    }
    await waitFor(look, { deadline: 60_000, describe: () => this.#describe('gone'), ...options })
  }

  /** Name of its namespace. @throws Error before it has one */
  async namespace(): Promise<string> {
    const name = (await this.get())?.status?.namespace
    if (name === undefined) throw new Error(`environment ${this.name} has no namespace yet`)
    return name
  }

  /** An object in its namespace, a ConfigMap by default. */
  async find(
    name = 'config',
    kind = 'ConfigMap',
    version = 'v1',
  ): Promise<(KubeObject & { data?: object }) | undefined> {
    const namespace = await this.namespace()
    return this.#house.kube.get({ apiVersion: version, kind, namespace, name })
  }

  /** Blocked or otherwise: a condition of its status. */
  async condition(type: ConditionType): Promise<Condition | undefined> {
    return findCondition((await this.get())?.status?.conditions, type)
  }

  /** Stalled for this reason; gives the condition's message. */
  async toStall(reason: string, options: WaitOptions = {}): Promise<string> {
    const stalled = ({ status }: ReviewEnvironment) => {
      const condition = findCondition(status?.conditions, 'Stalled')
      return condition?.status === 'True' && condition.reason === reason
    }
    const found = await this.toMatch(stalled, `stalled: ${reason}`, options)
    return findCondition(found.status?.conditions, 'Stalled')?.message ?? ''
  }

  async #describe(what: string): Promise<string> {
    const found = await this.get()
    const seen =
      found === undefined ? 'there is none' : JSON.stringify({ spec: found.spec, status: found.status }, null, 1)
    return `environment ${this.name} to be ${what}; seen: ${seen}\nlog:\n${this.#house.offshoot.log.slice(-30).join('\n')}`
  }
}

function identity(followed: Followed): ChangeIdentity {
  if (typeof followed === 'number') return { pullRequest: followed }
  return 'number' in followed ? { pullRequest: followed.number } : { branch: followed.branch }
}
