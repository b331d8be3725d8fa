import type { ServerResponse } from 'node:http'
import { expect, it } from 'vitest'
import { deploy } from '../../../src/engine/cluster/deployment.ts'
import type { ClusterContext } from '../../../src/engine/cluster/types.ts'
import { type Progress, silentProgress, type Tracker } from '../../../src/engine/host.ts'
import { Problems } from '../../../src/engine/plan/problems.ts'
import { refKey, refOf } from '../../../src/engine/plan/refs.ts'
import { systemClock } from '../../../src/util/clock.ts'
import { waitFor } from '../../harness/wait.ts'
import { json, type OddServer, startOddServer } from '../../kube/api-server.ts'
import { itemOf, mapOf } from '../plan/plan-items.ts'

function contextOf(server: OddServer, change: Partial<ClusterContext> = {}): ClusterContext {
  const { signal } = new AbortController()
  const parts = { clock: systemClock, random: () => 0, progress: silentProgress, problems: new Problems(), signal }
  return { kube: server.client, ...parts, ...change }
}

const none = { get: () => undefined, all: () => [] }

/** A server that answers nothing until it is told to; `waiting` are the names of what was asked for. */
async function patientServer() {
  const server = await startOddServer()
  const waiting = new Map<string, ServerResponse>()
  server.handle((request, response) => {
    waiting.set(/configmaps\/([^?]*)/.exec(request.url ?? '')?.[1] ?? '', response)
  })
  const answer = (...names: string[]) => {
    for (const name of names) {
      const response = waiting.get(name)
      waiting.delete(name)
      if (response !== undefined) json(response, 200, mapOf(name))
    }
  }
  const asked = (...names: string[]) =>
    waitFor(() => names.every(name => waiting.has(name)) && [...waiting.keys()].toSorted())
  return { server, answer, asked }
}

it('items are worked on at the same time up to a barrier, and objects of one item in turn', async () => {
  const { server, answer, asked } = await patientServer()
  const items = [
    itemOf({ path: 'a' }, [mapOf('a1'), mapOf('a2')]),
    itemOf({ path: 'b', barrier: true }, [mapOf('b')]),
    itemOf({ path: 'c' }, [mapOf('c')]),
  ]
  const deploying = deploy(contextOf(server), items, none)
  expect(await asked('a1', 'b')).toEqual(['a1', 'b'])
  answer('b', 'a1')
  expect(await asked('a2')).toEqual(['a2'])
  answer('a2')
  expect(await asked('c')).toEqual(['c'])
  answer('c')
  const { created } = await deploying
  expect(created.map(ref => ref.name)).toEqual(['b', 'a1', 'a2', 'c'])
})

it('no more items are worked on at a time than was said', async () => {
  const { server, answer, asked } = await patientServer()
  const items = ['a', 'b', 'c'].map(name => itemOf({ path: name }, [mapOf(name)]))
  const deploying = deploy(contextOf(server), items, none, { parallelism: 2 })
  expect(await asked('a', 'b')).toEqual(['a', 'b'])
  answer('b')
  expect(await asked('c')).toEqual(['a', 'c'])
  answer('a', 'c')
  await deploying
})

it('what was begun when it is aborted is an error, what was not is left', async () => {
  const { server, asked } = await patientServer()
  const stop = new AbortController()
  const context = contextOf(server, { signal: stop.signal })
  const items = [
    itemOf({ path: 'a' }, [mapOf('a1'), mapOf('a2')]),
    itemOf({ barrier: true }),
    itemOf({ path: 'b' }, [mapOf('b')]),
  ]
  const deploying = deploy(context, items, none)
  await asked('a1')
  stop.abort(new Error('interrupted'))
  expect((await deploying).applied.size).toBe(0)
  expect(context.problems.errors).toEqual([{ ref: refOf(mapOf('a1')), message: 'interrupted' }])
  expect(server.requests).toHaveLength(1)
})

it('an object that was seen in this version needs no apply', async () => {
  const server = await startOddServer()
  const known = { ...mapOf('map'), metadata: { name: 'map', namespace: 'ns', resourceVersion: '7' } }
  const remote = { get: () => known, all: () => [known] }
  const skipResourceVersions = new Map([[refKey(refOf(known)), '7']])
  const { applied, created } = await deploy(contextOf(server), [itemOf({ path: 'a' }, [mapOf('map')])], remote, {
    dryRun: true,
    skipResourceVersions,
  })
  expect([[...applied.values()], created, server.requests]).toEqual([[known], [], []])
})

it('each item tells how far it is', async () => {
  const server = await startOddServer()
  server.handle((request, response) => {
    const name = /configmaps\/([^?]*)/.exec(request.url ?? '')?.[1] ?? ''
    if (name === 'bad') json(response, 422, { kind: 'Status', code: 422, reason: 'Invalid', message: 'no' })
    else json(response, 200, mapOf(name))
  })
  const told: string[] = []
  const tracker = (name: string): Tracker => ({
    update: () => undefined,
    line: what => told.push(`${name}: ${what}`),
    advance: () => told.push(`${name} +1`),
    end: (outcome, summary) => told.push(`${name} ${outcome}: ${summary}`),
  })
  const progress: Progress = {
    ...silentProgress,
    start: what => outcome => told.push(`${what} ${outcome}`),
    track: (name, total) => {
      told.push(`${name} of ${total}`)
      return tracker(name)
    },
  }
  const items = [itemOf({ path: 'a' }, [mapOf('good'), mapOf('bad')]), itemOf({ barrier: true, message: 'all of a' })]
  await deploy(contextOf(server, { progress }), items, none)
  expect(told).toEqual([
    'a of 3',
    'a: Applying 2 objects',
    'a +1',
    'a +1',
    'a failed: Applied 1 objects. Encountered 1 errors.',
    'Waiting on barrier: all of a done',
  ])
})
