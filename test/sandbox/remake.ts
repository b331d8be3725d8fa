// Writes anew what the sandbox knows of built-in kinds, from a real API server: `npm run sandbox:kinds`.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { KubeClient } from '../../src/kube/client.ts'
import { startControlPlane } from '../harness/control-plane/control-plane.ts'
import { readBuiltIn } from './built-in.ts'

const folder = join(import.meta.dirname, '../../src/sandbox/kinds')
const controlPlane = await startControlPlane({ log: line => process.stderr.write(`${line}\n`) })
const client = KubeClient.fromKubeconfig(controlPlane.adminKubeconfig)
try {
  const { resources, types } = await readBuiltIn(client)
  const rows = resources.map(resource => JSON.stringify(resource))
  await writeFile(join(folder, 'resources.json'), `[\n${rows.join(',\n')}\n]\n`)
  const entries = Object.entries(types).map(([name, type]) => `${JSON.stringify(name)}: ${JSON.stringify(type)}`)
  await writeFile(join(folder, 'types.json'), `{\n${entries.join(',\n')}\n}\n`)
} finally {
  await client.close()
  await controlPlane.stop()
}
