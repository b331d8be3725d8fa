import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe } from 'vitest'
import { KubeClient } from '../../src/kube/client.ts'
import { type Sandbox, startSandbox } from '../../src/sandbox/index.ts'
import { apiServerContract } from '../harness/contract/all.ts'

let sandbox: Sandbox
let client: KubeClient
let folder = ''

beforeAll(async () => {
  sandbox = await startSandbox()
  folder = await mkdtemp(join(tmpdir(), 'offshoot-sandbox-test-'))
  await writeFile(join(folder, 'kubeconfig'), sandbox.kubeconfig())
  client = KubeClient.fromKubeconfig(join(folder, 'kubeconfig'))
})
afterAll(async () => {
  await client.close()
  await sandbox.close()
  await rm(folder, { recursive: true, force: true })
})

describe('the contract, on the sandbox', () => {
  apiServerContract({ client: () => client, kubeconfig: () => join(folder, 'kubeconfig') })
})
