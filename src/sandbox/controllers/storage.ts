import { type Controller, find, itself, setStatus } from './controller.ts'

/** Says of every claim that it has a volume. */
export const claims: Controller = {
  concerns: (_api, storage, change) =>
    storage === 'persistentvolumeclaims' && change.type === 'ADDED' ? [itself(storage, change)] : [],
  reconcile: (api, { namespace, name }) => {
    const claim = find(api, 'persistentvolumeclaims', namespace, name)
    if (!claim) return
    const { accessModes, resources } = claim.spec as { accessModes?: string[]; resources?: { requests?: object } }
    const status = { phase: 'Bound', accessModes, capacity: resources?.requests }
    setStatus(api, api.registry.builtIn('v1', 'PersistentVolumeClaim'), claim, status)
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
