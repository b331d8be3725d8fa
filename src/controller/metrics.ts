import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { environmentStates } from '../api/index.ts'
import type { QueueObserver, WorkQueue } from './queue.ts'
import type { RepairMetrics } from './repair.ts'
import type { Stores } from './stores.ts'
import type { WorkResult } from './workers.ts'

/** What the controller counts. */
export interface ControllerMetrics {
  /** An observer for the queue of this name. */
  queue(name: string): QueueObserver
  worked(result: WorkResult): void
  repair: RepairMetrics
}

/** Where the gauges read when they are scraped. */
export interface MetricsSources {
  queues: () => ReadonlyMap<string, WorkQueue>
  stores: Stores
  leading: () => boolean
}

const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120]

/** Registers the controller's metrics. Labels have few values: never a name of an object. */
export function controllerMetrics(registry: Registry, sources: MetricsSources): ControllerMetrics {
  const registers = [registry]
  gauges(registry, sources)
  const adds = new Counter({
    name: 'offshoot_queue_adds_total',
    help: 'Keys added to a queue',
    labelNames: ['queue'],
    registers,
  })
  const retries = new Counter({
    name: 'offshoot_queue_retries_total',
    help: 'Keys added again after a failure',
    labelNames: ['queue'],
    registers,
  })
  const waited = new Histogram({
    name: 'offshoot_queue_wait_seconds',
    help: 'Time that keys waited for a worker',
    labelNames: ['queue'],
    buckets: seconds,
    registers,
  })
  const worked = new Histogram({
    name: 'offshoot_reconcile_seconds',
    help: 'Time of one reconcile, by kind of work and how it ended',
    labelNames: ['kind', 'result'],
    buckets: seconds,
    registers,
  })
  return {
    queue: queue => ({
      added: () => adds.inc({ queue }),
      retried: () => retries.inc({ queue }),
      started: milliseconds => waited.observe({ queue }, milliseconds / 1000),
    }),
    repair: repairMetrics(registry),
    worked({ key, milliseconds, result }) {
      worked.observe({ kind: key.split('|', 1)[0] ?? '', result }, milliseconds / 1000)
    },
  }
}

function repairMetrics(registry: Registry): RepairMetrics {
  const registers = [registry]
  const asked = new Counter({
    name: 'offshoot_webhook_redeliveries_total',
    help: 'Failed deliveries that the forge was asked to send again, by kind of webhook and how it took that',
    labelNames: ['webhook', 'outcome'],
    registers,
  })
  const failing = new Gauge({
    name: 'offshoot_webhook_failed_deliveries',
    help: 'Deliveries of the last day that failed and will be asked for again, as of the last look',
    registers,
  })
  return {
    redelivered: (webhook, outcome) => asked.inc({ webhook, outcome }),
    failing: count => failing.set(count),
  }
}

function gauges(registry: Registry, { queues, stores, leading }: MetricsSources): void {
  const registers = [registry]
  new Gauge({
    name: 'offshoot_queue_length',
    help: 'Keys in a queue: waiting for a worker, for their time, or worked on',
    labelNames: ['queue', 'phase'],
    registers,
    collect() {
      this.reset()
      for (const [queue, { length, delayed, active }] of queues()) {
        this.set({ queue, phase: 'waiting' }, length)
        this.set({ queue, phase: 'delayed' }, delayed)
        this.set({ queue, phase: 'active' }, active)
      }
    },
  })
  new Gauge({
    name: 'offshoot_environments',
    help: 'Environments by state',
    labelNames: ['state'],
    registers,
    collect() {
      const counts = new Map<string, number>(environmentStates.map(state => [state, 0]))
      for (const { status } of stores.environments.list()) {
        const state = status?.state ?? 'Pending'
        counts.set(state, (counts.get(state) ?? 0) + 1)
      }
      for (const [state, count] of counts) this.set({ state }, count)
    },
  })
  new Gauge({
    name: 'offshoot_projects',
    help: 'Projects',
    registers,
    collect() {
      this.set(stores.projects.size)
    },
  })
  new Gauge({
    name: 'offshoot_leading',
    help: '1 while this replica leads',
    registers,
    collect() {
      this.set(leading() ? 1 : 0)
    },
  })
}
