import { describe, expect, it } from 'vitest'
import { KubeConnectionError } from '../../src/kube/errors.ts'
import { EventRecorder, type EventRecorderOptions } from '../../src/kube/events.ts'
import type { KubeObject } from '../../src/kube/types.ts'
import { configMap } from './api-server.ts'

function setup(options: Partial<EventRecorderOptions> = {}) {
  const created: KubeObject[] = []
  const patched: unknown[] = []
  let now = 1_000_000
  const clock = { now: () => now, sleep: () => Promise.resolve() }
  const client = {
    create: async <T extends KubeObject>(object: T) => {
      created.push(object)
      return object
    },
    patch: async <T extends KubeObject>(_: unknown, patch: unknown) => {
      patched.push(patch)
      return {} as T
    },
  }
  const recorder = new EventRecorder(client, { controller: 'c', instance: 'i', clock, ...options })
  return { created, patched, client, recorder, pass: (milliseconds: number) => (now += milliseconds) }
}
const note = (text: string) => ({ type: 'Normal', reason: 'Tested', note: text }) as const

describe('EventRecorder', () => {
  it('counts repeats instead of writing them, and writes the count now and then', async () => {
    const { recorder, created, patched, pass } = setup()
    for (let times = 0; times < 10; times++) recorder.record(configMap('a', '1'), note('same'))
    pass(61_000)
    recorder.record(configMap('a', '2'), note('same'))
    recorder.record(configMap('a', '2'), note('same'))
    await recorder.close()
    expect(created).toHaveLength(1)
    expect(patched).toMatchObject([{ series: { count: 11 } }, { series: { count: 12 } }])
  })

  it('caps the events of one object and not those of others', async () => {
    const { recorder, created, pass } = setup({ burst: 3, refillMilliseconds: 1_000 })
    for (let index = 0; index < 10; index++) recorder.record(configMap('a', '1'), note(`${index}`))
    recorder.record(configMap('b', '1'), note('b'))
    pass(2_500)
    for (let index = 20; index < 30; index++) recorder.record(configMap('a', '1'), note(`${index}`))
    await recorder.close()
    expect(created.map(event => event.note)).toEqual(['0', '1', '2', 'b', '20', '21'])
    expect(recorder.dropped).toBe(15)
  })

  it('goes on when the server does not answer', async () => {
    const { client } = setup()
    let failures = 0
    const failing = {
      ...client,
      create: () => {
        failures++
        return Promise.reject(new KubeConnectionError('away'))
      },
    }
    const recorder = new EventRecorder(failing, { controller: 'c', instance: 'i' })
    recorder.record(configMap('a', '1'), note('one'))
    recorder.record(configMap('a', '1'), note('two'))
    await recorder.close()
    expect(failures).toBe(2)
  })

  it('does not hold up a shutdown', async () => {
    const { client } = setup()
    const hanging = {
      ...client,
      create: <T extends KubeObject>(_: T, options: { signal?: AbortSignal | undefined } = {}) =>
        new Promise<T>((_resolve, reject) => {
          options.signal?.addEventListener('abort', () => reject(new Error('aborted')))
        }),
    }
    const recorder = new EventRecorder(hanging, { controller: 'c', instance: 'i' })
    recorder.record(configMap('a', '1'), note('one'))
    await recorder.close(50)
  })

  it('cuts a long note between characters', async () => {
    const { recorder, created } = setup()
    recorder.record(configMap('a', '1'), note(`x${'ä'.repeat(1_000)}`))
    await recorder.close()
    expect(created[0]?.note).toBe(`x${'ä'.repeat(499)}`)
  })
})
