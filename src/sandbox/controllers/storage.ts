import { systemWrite } from '../api.ts'
import { claimProtection } from '../kinds/initial.ts'
import { persist } from '../verbs/update.ts'
import { type Controller, find, itself, setStatus } from './controller.ts'

/** Says of every claim that it has a volume. */
export const claims: Controller = {
  concerns: (_api, storage, change) =>
    storage === 'persistentvolumeclaims' && change.type !== 'DELETED' ? [itself(storage, change)] : [],
  reconcile: (api, { namespace, name }) => {
    const claim = find(api, 'persistentvolumeclaims', namespace, name)
    if (!claim) return
    const resource = api.registry.builtIn('v1', 'PersistentVolumeClaim')
    if (claim.metadata.deletionTimestamp !== undefined) {
      const finalizers = (claim.metadata.finalizers ?? []).filter(one => one !== claimProtection)
      if (finalizers.length === claim.metadata.finalizers?.length) return
      persist(api, { ...claim, metadata: { ...claim.metadata, finalizers } }, systemWrite(resource, claim))
      return
    }
    const { accessModes, resources } = claim.spec as { accessModes?: string[]; resources?: { requests?: object } }
    const status = { phase: 'Bound', accessModes, capacity: resources?.requests }
    setStatus(api, resource, claim, status)
  },
}

/** Gives services of type LoadBalancer an address. */
export const loadBalancers: Controller = {
  concerns: (_api, storage, change) =>
    storage === 'services' && change.type !== 'DELETED' ? [itself(storage, change)] : [],
  reconcile: (api, { namespace, name }) => {
    const service = find(api, 'services', namespace, name)
    if ((service?.spec as { type?: string } | undefined)?.type !== 'LoadBalancer' || !service) return
    const ingress = [{ ip: '127.0.0.1', ipMode: 'VIP' }]
    setStatus(api, api.registry.builtIn('v1', 'Service'), service, { loadBalancer: { ingress } })
  },
}
