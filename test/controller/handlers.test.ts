import { expect, test } from 'vitest'
import type { ReviewEnvironmentStatus } from '../../src/api/index.ts'
import type { ControllerContext } from '../../src/controller/context.ts'
import { watchCluster } from '../../src/controller/handlers.ts'
import { formatWork, type Work } from '../../src/controller/keys.ts'
import { createStores } from '../../src/controller/stores.ts'
import type { KubeClient } from '../../src/kube/client.ts'
import { silentLogger } from '../../src/util/log.ts'
import { environmentWith, projectWith } from '../feedback/builders.ts'
import { FakeClock } from './fake-clock.ts'

/** What is asked for when a term begins with these environments of one project: at once, and when there is time. */
function beginning(environments: Readonly<Record<string, ReviewEnvironmentStatus>>) {
  const options = { namespaces: [], clock: new FakeClock(), log: silentLogger, random: () => 0.5 }
  const stores = createStores({} as KubeClient, options)
  stores.projects.assume(projectWith())
  for (const [name, status] of Object.entries(environments)) {
    const environment = environmentWith(status)
    environment.metadata = { ...environment.metadata, name, uid: name, generation: 1 }
    stores.environments.assume(environment)
  }
  const now = new Set<string>()
  const look = new Set<string>()
  const enqueue = {
    now: (work: Work) => void now.add(formatWork(work)),
    look: (work: Work) => void look.add(formatWork(work)),
    after: () => undefined,
  }
  watchCluster({ stores, enqueue } as unknown as ControllerContext)
  const names = (keys: Set<string>) =>
    [...keys].filter(key => key.startsWith('environment')).map(key => key.split('/').at(-1))
  return { now: names(now), look: names(look) }
}

test('a term begins with what is not ready: webhooks would wait behind thousands that are', () => {
  const asked = beginning({
    ready: { state: 'Ready', observedGeneration: 1 },
    starting: { state: 'Deploying', observedGeneration: 1 },
    edited: { state: 'Ready', observedGeneration: 0 },
  })
  expect(asked).toEqual({ now: ['starting', 'edited'], look: ['ready'] })
})
