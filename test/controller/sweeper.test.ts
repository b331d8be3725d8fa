import { expect, test } from 'vitest'
import { finalizer } from '../../src/api/index.ts'
import type { ControllerContext } from '../../src/controller/context.ts'
import { Sweeper, sweepGrace } from '../../src/controller/sweeper.ts'
import type { KubeObject, ObjectKey } from '../../src/kube/types.ts'
import { silentLogger } from '../../src/util/log.ts'
import { environmentWith, projectWith } from '../feedback/builders.ts'
import { FakeClock } from './fake-clock.ts'

/** A cluster where one environment exists, and whose informer knows no project. */
function clusterWith(project: KubeObject | undefined) {
  const environment = environmentWith()
  environment.metadata.finalizers = [finalizer]
  const deleted: string[] = []
  const nothing = { list: () => [], byIndex: () => [], get: () => undefined, assume: () => undefined }
  const context = {
    stores: {
      projects: nothing,
      namespaces: nothing,
      bindings: nothing,
      environments: { ...nothing, list: () => [environment], assumeDeleted: () => undefined },
    },
    namespaces: [],
    kube: {
      list: () => Promise.resolve({ items: [] }),
      getMetadata: ({ kind }: ObjectKey) => Promise.resolve(kind === 'ReviewProject' ? project : undefined),
      delete: ({ name }: ObjectKey) => Promise.resolve(void deleted.push(name)),
    },
    event: () => undefined,
    clock: new FakeClock(),
    log: silentLogger,
  }
  return { context: context as unknown as ControllerContext, clock: context.clock, deleted }
}

test.each([
  ['exists after all, whatever the informer missed, stays', projectWith() as KubeObject, []],
  ['is gone is removed, after a while', undefined, ['shop-pr-42']],
])('an environment whose project %s', async (_, project, expected) => {
  const { context, clock, deleted } = clusterWith(project)
  const sweeper = new Sweeper(context)
  const { signal } = new AbortController()
  await sweeper.sweep(signal)
  expect(deleted).toEqual([])
  await clock.advance(sweepGrace)
  await sweeper.sweep(signal)
  expect(deleted).toEqual(expected)
})
