import { apiVersion, type ReviewEnvironment } from '../api/index.ts'
import { DiscriminatorIndex } from '../backend/kluctl/discriminator-index.ts'
import type { Discriminators } from '../backend/kluctl/discriminators.ts'
import { kluctlDeploymentKind } from '../backend/kluctl/resource.ts'
import type { KubeClient } from '../kube/client.ts'
import { Informer, type InformerOptions } from '../kube/informer.ts'
import type { KubeObject } from '../kube/types.ts'
import type { Clock } from '../util/clock.ts'
import { OffshootError } from '../util/errors.ts'
import type { Logger } from '../util/log.ts'

/** How long a first question waits until the whole cluster is known, in milliseconds. */
const syncDeadline = 20_000

/** Discriminators that are watched until they are closed. */
export interface WatchedDiscriminators extends Discriminators {
  close(): Promise<void>
}

/**
 * Knows every discriminator of the cluster, also those outside the namespaces that are looked after. Begins to watch
 * with the first question: a cluster without kluctl is not asked for KluctlDeployments.
 */
export function watchedDiscriminators(kube: KubeClient, options: { clock: Clock; log: Logger }): WatchedDiscriminators {
  const index = new DiscriminatorIndex()
  const informer = <T extends KubeObject>(what: InformerOptions<T>) => new Informer<T>(kube, { ...options, ...what })
  const deployments = informer<KubeObject>({ ...kluctlDeploymentKind, transform: onlyTarget })
  const environments = informer<ReviewEnvironment>({ apiVersion, kind: 'ReviewEnvironment', transform: onlyRecorded })
  const setDeployment = (object: KubeObject) => index.setDeployment(object)
  deployments.addHandler({
    onAdd: setDeployment,
    onUpdate: setDeployment,
    onDelete: ({ metadata: { namespace = '', name = '' } }) => index.deleteDeployment(namespace, name),
  })
  const setEnvironment = (environment: ReviewEnvironment) => index.setEnvironment(environment)
  environments.addHandler({
    onAdd: setEnvironment,
    onUpdate: setEnvironment,
    onDelete: ({ metadata: { namespace, name } }) => index.deleteEnvironment(namespace, name),
  })
  const informers = [deployments, environments]
  return {
    async claim(discriminator, claimant) {
      for (const one of informers) one.start()
      await known(informers, options.clock)
      return index.claim(discriminator, claimant)
    },
    close: async () => {
      await Promise.all(informers.map(one => one.close()))
    },
  }
}

async function known(informers: readonly Pick<Informer<KubeObject>, 'synced' | 'hasSynced'>[], clock: Clock) {
  if (informers.every(({ hasSynced }) => hasSynced)) return
  const enough = new AbortController()
  const late = clock.sleep(syncDeadline, enough.signal).then(() => {
    throw new OffshootError('the discriminators of the cluster are not known yet')
  })
  try {
    await Promise.race([Promise.all(informers.map(({ synced }) => synced)), late])
  } finally {
    enough.abort()
    // Aborted: nobody waits for it any more.
    late.catch(() => undefined)
  }
}

/** Who holds what, and nothing else: a cluster may have thousands. */
function onlyTarget({ apiVersion: version, kind, metadata, status }: KubeObject): KubeObject {
  const { targetKey } = (status ?? {}) as { targetKey?: unknown }
  return { apiVersion: version, kind, metadata: onlyIdentity(metadata), status: { targetKey } }
}

function onlyRecorded(environment: ReviewEnvironment): ReviewEnvironment {
  const { discriminators = [] } = environment.status ?? {}
  return { ...environment, metadata: onlyIdentity(environment.metadata), status: { discriminators } }
}

function onlyIdentity<M extends KubeObject['metadata']>(metadata: M): M {
  const { managedFields: _fields, labels: _labels, ...kept } = metadata
  return kept as M
}
