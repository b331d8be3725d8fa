import type { ServerResponse } from 'node:http'
import { expect, it } from 'vitest'
import { StatusRequirements } from '../../../src/engine/cluster/status-requirement.ts'
import { waitAllReady } from '../../../src/engine/cluster/wait-ready.ts'
import { silentProgress } from '../../../src/engine/host.ts'
import { Problems } from '../../../src/engine/plan/problems.ts'
import { refKey } from '../../../src/engine/plan/refs.ts'
import { FakeClock } from '../../controller/fake-clock.ts'
import { waitFor } from '../../harness/wait.ts'
import { configMap, json, send, startOddServer } from '../../kube/api-server.ts'

const refTo = (name: string) => ({ version: 'v1', kind: 'ConfigMap', name, namespace: 'default' })

function mapThatIs(ready: boolean, name: string, version: string) {
  const object = configMap(name, version)
  return { ...object, metadata: { ...object.metadata, annotations: { 'kluctl.io/is-ready': `${ready}` } } }
}

/** Waits for objects that are not ready, on a clock that stands still; `watches` are those that are open. */
async function story(names: string[], timeout: number) {
  const server = await startOddServer()
  const watches = new Map<string, ServerResponse>()
  server.handle((request, response) => {
    const name = /metadata\.name%3D(\w+)/.exec(request.url ?? '')?.[1] ?? ''
    if (!request.url?.includes('watch=true')) {
      json(response, 200, { metadata: { resourceVersion: '1' }, items: [mapThatIs(false, name, '1')] })
      return
    }
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
    watches.set(name, response)
  })
  const clock = new FakeClock()
  const problems = new Problems()
  const lines: string[] = []
  const { signal } = new AbortController()
  const context = { kube: server.client, clock, random: () => 0, progress: silentProgress, problems, signal }
  const waiter = {
    run: { context, requirements: new StatusRequirements(context) },
    tracker: {
      update: () => undefined,
      advance: () => undefined,
      end: () => undefined,
      line: (line: string) => lines.push(line),
    },
    fail: problems.addError.bind(problems),
    warn: problems.addWarning.bind(problems),
  }
  const ready: string[] = []
  let over = false
  const waiting = waitAllReady(waiter, names.map(refTo), { hook: false, timeout, onReady: () => ready.push('one') })
  void waiting.then(() => (over = true))
  await waitFor(() => watches.size === names.length)
  const become = async (name: string) => {
    const count = ready.length
    const response = watches.get(name)
    if (response !== undefined) send(response, 'MODIFIED', mapThatIs(true, name, '2'))
    await waitFor(() => ready.length > count)
  }
  return { clock, problems, lines, waiting, become, isOver: () => over }
}

it('the deadline counts anew when one of the objects gets ready', async () => {
  const { clock, problems, waiting, become, isOver } = await story(['a', 'b', 'c'], 10_000)
  await clock.advance(8_000)
  await become('a')
  await clock.advance(8_000)
  await become('b')
  await clock.advance(9_999)
  expect([isOver(), problems.errors]).toEqual([false, []])
  await clock.advance(1)
  expect(await waiting).toEqual(new Set(['a', 'b'].map(name => refKey(refTo(name)))))
  expect(problems.errors.map(({ ref, message }) => [ref.name, message])).toEqual([
    [
      'c',
      'timed out while waiting for readiness of default/ConfigMap/c: kluctl.io/is-ready annotation is set to false',
    ],
  ])
})

it('those who wait are told so every five seconds', async () => {
  const { clock, lines, waiting, become } = await story(['a'], 1e12)
  await clock.advance(11_000)
  await become('a')
  await waiting
  expect(lines).toEqual([
    'Waiting for default/ConfigMap/a to get ready... (0s elapsed)',
    'Still waiting for default/ConfigMap/a to get ready... (5s elapsed)',
    'Still waiting for default/ConfigMap/a to get ready... (10s elapsed)',
    'Finished waiting for default/ConfigMap/a (11s elapsed)',
  ])
})
