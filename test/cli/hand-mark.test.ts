import { describe, expect, it } from 'vitest'
import { annotations, type ByHand, type ReviewEnvironment, sinceOf } from '../../src/api/index.ts'
import { HandMark } from '../../src/cli/hand-mark.ts'
import type { KubeClient } from '../../src/kube/client.ts'
import { KubeError } from '../../src/kube/errors.ts'
import { ExchangeError } from '../../src/kube/exchange.ts'
import { quickClock } from '../forge/harness.ts'

const revision = 'a'.repeat(40)
const signal = new AbortController().signal

/** One environment on a server, and what happens to requests for it. */
function world() {
  const clock = quickClock()
  const told: ByHand[] = []
  let version = 1
  let marked: string | undefined
  const wanted = { revision }
  const environment = {
    metadata: { namespace: 'team', name: 'shop-pr-1', uid: 'u-1' },
    spec: { revision },
    status: { conditions: [] as object[] },
  }
  /** What comes before and after the next write. */
  const next: { before?: () => void; after?: () => void } = {}
  const mark = () => (marked === undefined ? undefined : (JSON.parse(marked) as ByHand))
  /** What the controller does whenever it is looked at. */
  const controller = { answers: (_mark: ByHand): object[] => [] }
  const server = {
    mark,
    write: (value: ByHand | undefined) => {
      marked = value && JSON.stringify(value)
      version++
    },
  }
  const kube = {
    get: async () => {
      const { metadata } = environment
      const annotated = marked === undefined ? {} : { annotations: { [annotations.byHand]: marked } }
      const seen = mark()
      const conditions = seen === undefined ? [] : controller.answers(seen)
      return {
        ...environment,
        spec: wanted,
        metadata: { ...metadata, ...annotated, resourceVersion: String(version) },
        status: { conditions },
      }
    },
    patch: async (_key: object, patch: { metadata: ReviewEnvironment['metadata'] }) => {
      const { before, after } = next
      delete next.before
      delete next.after
      before?.()
      if (patch.metadata.resourceVersion !== String(version)) throw new KubeError(409, 'Conflict', 'changed meanwhile')
      marked = (patch.metadata.annotations?.[annotations.byHand] ?? undefined) as string | undefined
      version++
      after?.()
    },
  } as unknown as KubeClient
  const handMark = new HandMark({
    kube,
    environment: environment as unknown as ReviewEnvironment,
    clock,
    by: 'alice',
    tell: async other => void told.push(other),
    warn: message => expect.unreachable(message),
  })
  return { handMark, server, next, controller, told, wanted, clock }
}

const stepsAside = (mark: ByHand) => [
  { type: 'Ready', status: 'False', reason: 'DeployingByHand', message: `alice ${sinceOf(mark)}; more` },
]
const bobs: ByHand = { by: 'bob', at: '2026-01-01T00:00:00.000Z', revision, state: 'deploying', discriminator: 'd' }

describe('the mark of a deployment by hand', () => {
  it('is there until the end, and says then how that was', async () => {
    const { handMark, server, controller } = world()
    controller.answers = stepsAside
    await handMark.take('shop', signal)
    expect(server.mark()).toMatchObject({ by: 'alice', state: 'deploying', discriminator: 'shop' })
    expect(await handMark.end('succeeded')).toBeUndefined()
    expect(server.mark()).toMatchObject({ by: 'alice', state: 'succeeded' })
  })

  it('is taken although an answer is lost, before or after it was written', async () => {
    for (const when of ['before', 'after'] as const) {
      const { handMark, server, controller, next, told } = world()
      controller.answers = stepsAside
      next[when] = () => {
        throw new ExchangeError('lost', true)
      }
      await handMark.take('shop', signal)
      expect([server.mark()?.by, told]).toEqual(['alice', []])
    }
  })

  it('is given back when the command is ended while it is written', async () => {
    const { handMark, server, next } = world()
    const stop = new AbortController()
    next.after = () => {
      stop.abort(new Error('ended'))
      throw new Error('ended')
    }
    await expect(handMark.take('shop', stop.signal)).rejects.toThrow('ended')
    expect(server.mark()).toBeUndefined()
  })

  it('of two who begin at once tells the second of the first', async () => {
    const { handMark, server, controller, next, told } = world()
    controller.answers = stepsAside
    next.before = () => server.write(bobs)
    await handMark.take('shop', signal)
    expect(told).toEqual([bobs])
    expect(server.mark()?.by).toBe('alice')
  })

  it('is told of the same account at work elsewhere, and not of what it did before', async () => {
    for (const [state, count] of [
      ['deploying', 1],
      ['succeeded', 0],
    ] as const) {
      const { handMark, server, controller, told } = world()
      controller.answers = stepsAside
      server.write({ ...bobs, by: 'alice', state })
      await handMark.take('shop', signal)
      expect(told).toHaveLength(count)
    }
  })

  it('is given back when the controller refuses it, with its reason', async () => {
    const { handMark, server, controller } = world()
    controller.answers = mark => [
      { type: 'Stalled', status: 'True', reason: 'DiscriminatorTaken', message: `alice ${sinceOf(mark)}: taken` },
    ]
    await expect(handMark.take('shop', signal)).rejects.toThrow(': taken')
    expect(server.mark()).toBeUndefined()
  })

  it('is given back when nobody answers, sooner where something else is in the way', async () => {
    const silent = world()
    const began = silent.clock.now()
    await expect(silent.handMark.take('shop', signal)).rejects.toMatchObject({ exitCode: 3 })
    expect(silent.clock.now() - began).toBeGreaterThanOrEqual(120_000)
    const stalled = world()
    stalled.controller.answers = () => [
      { type: 'Stalled', status: 'True', reason: 'ConfigInvalid', message: 'line 1: expected a name' },
    ]
    await expect(stalled.handMark.take('shop', signal)).rejects.toThrow('line 1: expected a name')
    expect(stalled.clock.now() - began).toBeLessThan(30_000)
    expect([silent.server.mark(), stalled.server.mark()]).toEqual([undefined, undefined])
  })

  it('is not taken for another commit than the one that was rendered', async () => {
    const { handMark, server, wanted } = world()
    wanted.revision = 'b'.repeat(40)
    await expect(handMark.take('shop', signal)).rejects.toThrow('a newer commit was pushed')
    expect(server.mark()).toBeUndefined()
  })

  it('leaves another’s alone at the end, and tells of it without the control characters in it', async () => {
    const { handMark, server, controller } = world()
    controller.answers = stepsAside
    await handMark.take('shop', signal)
    const other = { ...bobs, by: 'bob\u001b[31m' }
    server.write(other)
    const news = await handMark.end('succeeded')
    expect(news).toMatch(/^bob.* deploys into this environment too/)
    expect(news).not.toContain('\u001b')
    expect(server.mark()).toEqual(other)
  })
})
