import { describe } from 'vitest'
import { adminClient, adminKubeconfig } from '../harness/cluster.ts'
import { apiServerContract } from '../harness/contract/all.ts'

describe('the contract, on the real API server', () => {
  apiServerContract({ client: adminClient, kubeconfig: adminKubeconfig })
})
