import { describe, expect, it } from 'vitest'
import type { ControllerContext } from '../../src/controller/context.ts'
import { WebhookRepair } from '../../src/controller/repair.ts'
import { ForgeError } from '../../src/forge/errors.ts'
import type { FailedDelivery, WebhookLog } from '../../src/forge/index.ts'
import { silentLogger } from '../../src/util/log.ts'
import { FakeClock } from './fake-clock.ts'

const minute = 60_000
const { signal } = new AbortController()

/** A forge that remembers attempts; none of them succeeds until `heal`. */
class FakeLog implements WebhookLog {
  readonly type = 'app'
  readonly key: string
  readonly credential: string
  readonly asked: string[] = []
  reads = 0
  refusal: ForgeError | undefined
  refusesWrites: ForgeError | undefined
  healed = false
  readonly deliveries = new Map<string, FailedDelivery>()
  readonly #clock: FakeClock

  constructor(clock: FakeClock, key = 'app', credential = 'own') {
    this.#clock = clock
    this.key = key
    this.credential = credential
  }

  lose(guid: string, at = this.#clock.now(), repository?: number): void {
    const times = { firstAt: at, lastAt: at }
    const where = { hook: undefined, repository }
    this.deliveries.set(guid, { ...where, guid, id: 1, event: 'push', status: 503, attempts: 1, ...times })
  }

  async failed(_url: string, since: number): Promise<FailedDelivery[]> {
    this.reads++
    if (this.refusal) throw this.refusal
    return [...this.deliveries.values()].filter(({ lastAt }) => lastAt >= since)
  }

  async redeliver({ guid }: FailedDelivery): Promise<void> {
    if (this.refusesWrites) throw this.refusesWrites
    this.asked.push(guid)
    const delivery = this.deliveries.get(guid)
    if (!delivery) return
    if (this.healed) this.deliveries.delete(guid)
    else this.deliveries.set(guid, { ...delivery, attempts: delivery.attempts + 1, lastAt: this.#clock.now() })
  }
}

function setup(projects = 1, logs?: (clock: FakeClock) => WebhookLog[]) {
  const clock = new FakeClock()
  const log = new FakeLog(clock)
  const all = logs?.(clock) ?? [log]
  const names = Array.from({ length: projects }, (_, at) => ({ metadata: { name: `p${at}` }, spec: {} }))
  const counted = { asked: 0, failed: 0, failing: -1 }
  const context = {
    clock,
    random: () => 0.5,
    log: silentLogger,
    limits: { repairInterval: 2 * minute },
    stores: { projects: { list: () => names } },
    forges: {
      webhooks: async (project: { metadata: { name: string } }) =>
        all[Number(project.metadata.name.slice(1)) % all.length],
    },
  } as unknown as ControllerContext
  const metrics = {
    redelivered: (_type: string, outcome: 'asked' | 'failed') => void counted[outcome]++,
    failing: (count: number) => {
      counted.failing = count
    },
  }
  const repair = new WebhookRepair(context, { url: 'https://offshoot.example.com', metrics })
  /** Looks as often as the controller does. */
  const pass = async (time: number) => {
    for (const end = clock.now() + time; clock.now() < end; ) {
      await clock.advance(2 * minute)
      await repair.round(signal)
    }
  }
  return { clock, log, repair, counted, pass }
}

describe('a delivery that failed', () => {
  it('is asked for again, and counted, and left alone when it has arrived', async () => {
    const { log, counted, pass } = setup()
    log.lose('a')
    log.healed = true
    await pass(60 * minute)
    expect(log.asked).toEqual(['a'])
    expect(counted).toEqual({ asked: 1, failed: 0, failing: 0 })
  })

  it('is asked for less and less often, and then no more', async () => {
    const { log, pass } = setup()
    log.lose('a')
    await pass(10 * minute)
    expect(log.asked).toHaveLength(2)
    await pass(24 * 60 * minute)
    // Five attempts, of which the forge made the first.
    expect(log.asked).toHaveLength(4)
  })

  it('is asked for once, however late the forge shows the attempt', async () => {
    const { log, repair, clock } = setup()
    log.lose('a')
    const redeliver = log.redeliver.bind(log)
    log.redeliver = async delivery => {
      await redeliver(delivery)
      log.lose(delivery.guid, clock.now() - 10 * minute)
    }
    await clock.advance(2 * minute)
    for (let round = 0; round < 5; round++) await repair.round(signal)
    expect(log.asked).toEqual(['a'])
  })

  it('is one of many: a server that was away is not overrun, and none is forgotten', async () => {
    const { log, repair, clock, pass } = setup()
    log.healed = true
    for (let at = 0; at < 95; at++) log.lose(`d${at}`)
    await clock.advance(2 * minute)
    await repair.round(signal)
    expect(log.asked).toHaveLength(20)
    await pass(10 * minute)
    expect(new Set(log.asked).size).toBe(95)
    expect(log.asked).toHaveLength(95)
  })

  it('is not starved by another webhook that has lost many', async () => {
    const made: FakeLog[] = []
    const { repair, clock, counted } = setup(3, clock => {
      made.push(new FakeLog(clock, 'many'), new FakeLog(clock, 'few'), new FakeLog(clock, 'one'))
      return made
    })
    const [many, few, one] = made
    if (!many || !few || !one) throw new Error('there are three')
    for (let at = 0; at < 95; at++) many.lose(`m${at}`)
    for (let at = 0; at < 5; at++) few.lose(`f${at}`)
    one.lose('o')
    await clock.advance(2 * minute)
    await repair.round(signal)
    expect(one.asked).toEqual(['o'])
    expect(few.asked).toEqual(['f0', 'f1', 'f2', 'f3', 'f4'])
    // What the others leave is its own, and no more than that.
    expect(many.asked).toHaveLength(14)
    expect(counted.asked).toBe(20)
  })

  it('is not starved by another repository of the same App', async () => {
    const { log, repair, clock } = setup()
    for (let at = 0; at < 95; at++) log.lose(`m${at}`, clock.now(), 1)
    log.lose('o', clock.now() + 1, 2)
    await clock.advance(2 * minute)
    await repair.round(signal)
    expect(log.asked).toContain('o')
    expect(log.asked).toHaveLength(20)
  })

  it('has its turn in the end, however many webhooks there are', async () => {
    const made: FakeLog[] = []
    const { repair, clock, counted } = setup(50, clock => {
      for (let at = 0; at < 50; at++) made.push(new FakeLog(clock, `log-${at}`))
      return made
    })
    for (const log of made) for (let at = 0; at < 10; at++) log.lose(`d${at}`)
    await clock.advance(2 * minute)
    for (let round = 1; round <= 3; round++) {
      await repair.round(signal)
      expect(counted.asked).toBe(20 * round)
    }
    expect(made.filter(({ asked }) => asked.length === 0)).toEqual([])
  })

  it('leaves its turn to the others where the forge refuses', async () => {
    const made: FakeLog[] = []
    const { repair, clock } = setup(2, clock => {
      made.push(new FakeLog(clock, 'refuses'), new FakeLog(clock, 'takes'))
      return made
    })
    const [refuses, takes] = made
    if (!refuses || !takes) throw new Error('there are two')
    for (const log of made) for (let at = 0; at < 30; at++) log.lose(`d${at}`)
    refuses.refusesWrites = new ForgeError('forbidden', 'read only')
    await clock.advance(2 * minute)
    await repair.round(signal)
    expect(takes.asked).toHaveLength(19)
  })

  it('is looked for once, by however many projects the webhook is shared', async () => {
    const { log, repair } = setup(50)
    await repair.round(signal)
    expect(log.reads).toBe(1)
  })
})

describe('a forge that does not help', () => {
  it.each(['forbidden', 'notFound', 'unauthorized'] as const)('(%s) is left alone for hours', async kind => {
    const { log, pass, counted } = setup()
    log.refusal = new ForgeError(kind, 'no')
    await pass(5 * 60 * minute)
    expect(log.reads).toBe(1)
    log.refusal = undefined
    await pass(2 * 60 * minute)
    expect(log.reads).toBeGreaterThan(1)
    expect(counted.failed).toBe(0)
  })

  it('is asked with the credential that may read, whoever else has the same repository', async () => {
    const made: FakeLog[] = []
    const { pass } = setup(2, clock => {
      made.push(new FakeLog(clock, 'acme/shop', 'blind'), new FakeLog(clock, 'acme/shop', 'sees'))
      return made
    })
    const [blind, sees] = made
    if (blind === undefined || sees === undefined) throw new Error('not made')
    blind.refusal = new ForgeError('forbidden', 'no')
    sees.lose('d1')
    await pass(60 * minute)
    expect([blind.reads, blind.asked]).toEqual([1, []])
    expect(sees.asked).toContain('d1')
  })

  it('is left alone as long as it asks, and one webhook does not hold up another', async () => {
    const made: FakeLog[] = []
    const { pass } = setup(2, clock => {
      made.push(new FakeLog(clock, 'one'), new FakeLog(clock, 'two'))
      return made
    })
    const [limited, healthy] = made
    if (!limited || !healthy) throw new Error('there are two')
    limited.refusal = new ForgeError('rateLimited', 'wait', { retryAfter: 30 * minute })
    healthy.lose('b')
    healthy.healed = true
    await pass(28 * minute)
    expect(limited.reads).toBe(1)
    expect(healthy.asked).toEqual(['b'])
  })

  it('stops the round when it refuses to send again', async () => {
    const { log, repair, clock, counted } = setup()
    for (let at = 0; at < 10; at++) log.lose(`d${at}`)
    log.refusesWrites = new ForgeError('forbidden', 'read only')
    await clock.advance(2 * minute)
    await repair.round(signal)
    await repair.round(signal)
    expect(counted).toMatchObject({ asked: 0, failed: 1 })
  })
})
