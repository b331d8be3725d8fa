import { accountContract } from './accounts.ts'
import { customContract } from './custom.ts'
import { deletionContract } from './deletion.ts'
import { finalizerContract } from './finalizers.ts'
import { kubectlContract } from './kubectl.ts'
import { objectContract } from './objects.ts'
import { watchContract } from './watching.ts'
import type { ContractWorld } from './world.ts'

/** Everything that the sandbox promises and a real API server does; call it where tests are collected. */
export function apiServerContract(world: ContractWorld): void {
  objectContract(world)
  watchContract(world)
  deletionContract(world)
  finalizerContract(world)
  accountContract(world)
  customContract(world)
  kubectlContract(world)
}
