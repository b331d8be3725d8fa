import type { Api } from '../api.ts'
import { find, make, setStatus } from './controller.ts'

/** The node that everything is said to run on. */
export const nodeName = 'sandbox'

/** What a cluster has from its beginning. */
export function bootstrap(api: Api): void {
  for (const name of ['default', 'kube-system', 'kube-public', 'kube-node-lease']) {
    make(api, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  }
  const metadata = { name: nodeName, labels: { 'kubernetes.io/hostname': nodeName } }
  make(api, { apiVersion: 'v1', kind: 'Node', metadata })
  const node = find(api, 'nodes', '', nodeName)
  if (!node) return
  const lastTransitionTime = node.metadata.creationTimestamp
  const condition = {
    type: 'Ready',
    status: 'True',
    reason: 'Sandbox',
    message: 'nothing runs here',
    lastTransitionTime,
  }
  setStatus(api, api.registry.builtIn('v1', 'Node'), node, { conditions: [condition] })
  make(api, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'kubernetes', namespace: 'default' },
    spec: { clusterIP: '10.96.0.1', ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 6443 }] },
  })
}
