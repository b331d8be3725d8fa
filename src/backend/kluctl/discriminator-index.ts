import type { ReviewEnvironment } from '../../api/index.ts'
import type { KubeClient } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/types.ts'
import {
  type Claimant,
  type Discriminators,
  deploymentHolding,
  environmentHolding,
  type Holder,
  isOther,
  type KnownDeployment,
  standsInTheWay,
} from './discriminators.ts'
import { kluctlDeploymentKind } from './resource.ts'

/** A map from a discriminator to what has it, where each source holds a set that is replaced as a whole. */
class Multimap<T> {
  readonly #values = new Map<string, Map<string, T>>()
  readonly #held = new Map<string, readonly string[]>()

  /** `source` holds exactly `discriminators` from now on. */
  set(source: string, discriminators: readonly string[], value: T): void {
    this.delete(source)
    if (discriminators.length === 0) return
    this.#held.set(source, discriminators)
    for (const discriminator of discriminators) {
      const sources = this.#values.get(discriminator) ?? new Map<string, T>()
      this.#values.set(discriminator, sources.set(source, value))
    }
  }

  delete(source: string): void {
    for (const discriminator of this.#held.get(source) ?? []) {
      const sources = this.#values.get(discriminator)
      sources?.delete(source)
      if (sources?.size === 0) this.#values.delete(discriminator)
    }
    this.#held.delete(source)
  }

  get(discriminator: string): T[] {
    return [...(this.#values.get(discriminator)?.values() ?? [])]
  }
}

/**
 * Every discriminator of the cluster, kept by informers on KluctlDeployments and ReviewEnvironments: an answer costs
 * the same however many there are. Claims close the gap until an informer shows what was recorded.
 */
export class DiscriminatorIndex implements Discriminators {
  readonly #deployments = new Multimap<KnownDeployment>()
  readonly #environments = new Multimap<Holder>()
  readonly #claims = new Multimap<Holder>()
  readonly #claimed = new Map<string, Set<string>>()

  /** A KluctlDeployment was seen, new or changed. */
  setDeployment(object: KubeObject): void {
    const holding = deploymentHolding(object)
    const source = `${object.metadata.namespace}/${object.metadata.name}`
    if (holding) this.#deployments.set(source, [holding.discriminator], holding.deployment)
    else this.#deployments.delete(source)
  }

  /** A KluctlDeployment is gone. */
  deleteDeployment(namespace: string, name: string): void {
    this.#deployments.delete(`${namespace}/${name}`)
  }

  /** A ReviewEnvironment was seen, new or changed. */
  setEnvironment(environment: ReviewEnvironment): void {
    const { holder, all } = environmentHolding(environment)
    this.#environments.set(`${holder.namespace}/${holder.name}`, all, holder)
  }

  /** A ReviewEnvironment is gone, and with it what it had. */
  deleteEnvironment(namespace: string, name: string): void {
    const source = `${namespace}/${name}`
    this.#environments.delete(source)
    this.#claims.delete(source)
    this.#claimed.delete(source)
  }

  claim(discriminator: string, claimant: Claimant): readonly Holder[] {
    const holders = [
      ...this.#environments.get(discriminator).filter(holder => isOther(holder, claimant)),
      ...this.#claims.get(discriminator).filter(holder => isOther(holder, claimant)),
      ...this.#deployments.get(discriminator).filter(deployment => standsInTheWay(deployment, claimant)),
    ]
    if (holders.length === 0) this.#claimFor(discriminator, claimant)
    return holders
  }

  #claimFor(discriminator: string, { namespace, environment }: Claimant): void {
    const source = `${namespace}/${environment}`
    const all = (this.#claimed.get(source) ?? new Set<string>()).add(discriminator)
    this.#claimed.set(source, all)
    this.#claims.set(source, [...all], { kind: 'ReviewEnvironment', namespace, name: environment })
  }
}

/** Asks the API server each time: for one-off commands and tests. Two full lists for every question. */
export function listedDiscriminators(kube: KubeClient): Discriminators {
  return {
    async claim(discriminator, claimant) {
      const index = new DiscriminatorIndex()
      const environmentKind = { apiVersion: 'offshoot.dev/v1alpha1', kind: 'ReviewEnvironment' }
      const [deployments, environments] = await Promise.all([
        kube.list(kluctlDeploymentKind),
        kube.list<ReviewEnvironment>(environmentKind),
      ])
      for (const object of deployments.items) index.setDeployment(object)
      for (const environment of environments.items) index.setEnvironment(environment)
      return index.claim(discriminator, claimant)
    },
  }
}
