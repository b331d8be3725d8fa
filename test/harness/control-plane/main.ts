// Starts a control plane with the CRDs of the tests and keeps it until Ctrl-C: `node test/harness/control-plane/main.ts`.
import { join } from 'node:path'
import { KubeClient } from '../../../src/kube/client.ts'
import { startControlPlane } from './control-plane.ts'
import { installCrds } from './crds.ts'

const root = join(import.meta.dirname, '..', '..', '..')
const controlPlane = await startControlPlane({ log: line => console.error(line) })
const client = KubeClient.fromKubeconfig(controlPlane.adminKubeconfig)
await installCrds(client, [join(root, 'config', 'crd'), join(root, 'test', 'fixtures', 'crds')])
await client.close()
console.log(`export KUBECONFIG=${controlPlane.adminKubeconfig}`)
const keepAlive = setInterval(() => undefined, 1 << 30)
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    clearInterval(keepAlive)
    void controlPlane.stop()
  })
}
