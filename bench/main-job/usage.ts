import { readdirSync, readFileSync } from 'node:fs'
import { readMetrics, type Sample, sumOf } from '../../test/harness/metrics.ts'

/** What was used up to some moment. */
export interface Reading {
  at: number
  /** Requests of Offshoot to the API server, opened watches included. */
  requests: number
  /** Those of them that may write, the Lease's excepted. */
  writes: number
  /** Requests to the forge, and those of them that were answered 304. */
  forge: number
  unchanged: number
  /** CPU seconds by process. */
  cpu: Record<string, number>
  /** Resident memory of Offshoot in MB. */
  rss: number
  samples: readonly Sample[]
}

const requestsName = 'offshoot_kubernetes_requests_total'
const programs = ['etcd', 'kube-apiserver', 'kube-controller-manager']
/** Clock ticks a second (proc(5)); 100 on every Linux that Node runs on. */
const ticks = 100

/** Reads what Offshoot and the control plane used. */
export class Usage {
  readonly #metricsUrl: string
  readonly #folder: string

  /** @param folder of the control plane, by which its processes are told from others */
  constructor(metricsUrl: string, folder: string) {
    this.#metricsUrl = metricsUrl
    this.#folder = folder
  }

  async read(): Promise<Reading> {
    const samples = await readMetrics(this.#metricsUrl)
    const methods = ['POST', 'PUT', 'PATCH', 'DELETE']
    const writes = methods.reduce((sum, method) => sum + sumOf(samples, requestsName, { method }), 0)
    const leases = methods.reduce(
      (sum, method) => sum + sumOf(samples, requestsName, { method, resource: 'leases' }),
      0,
    )
    const forge = 'offshoot_forge_request_seconds_count'
    return {
      at: performance.now(),
      requests: sumOf(samples, requestsName),
      writes: writes - leases,
      forge: sumOf(samples, forge),
      unchanged: sumOf(samples, forge, { status: '304' }),
      cpu: {
        offshoot: sumOf(samples, 'process_cpu_seconds_total'),
        bench: process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6,
        ...this.#controlPlaneCpu(),
      },
      rss: sumOf(samples, 'process_resident_memory_bytes') / 2 ** 20,
      samples,
    }
  }

  #controlPlaneCpu(): Record<string, number> {
    const used: Record<string, number> = {}
    for (const pid of readdirSync('/proc').filter(name => /^[0-9]+$/.test(name))) {
      const command = textOf(`/proc/${pid}/cmdline`)
      const program = programs.find(name => command.split('\0', 1)[0]?.endsWith(`/${name}`))
      if (program === undefined || !command.includes(this.#folder)) continue
      const fields = textOf(`/proc/${pid}/stat`)
        .replace(/^.*\) /, '')
        .split(' ')
      used[program] = (Number(fields[11]) + Number(fields[12])) / ticks
    }
    return used
  }
}

/** What was used between two readings: seconds, and the differences. */
export function between(before: Reading, after: Reading) {
  const cpu = Object.entries(after.cpu).map(([name, seconds]): [string, number] => [
    `cpu_${name}_s`,
    Math.round((seconds - (before.cpu[name] ?? 0)) * 100) / 100,
  ])
  return {
    seconds: (after.at - before.at) / 1000,
    requests: after.requests - before.requests,
    writes: after.writes - before.writes,
    forge: after.forge - before.forge,
    unchanged: after.unchanged - before.unchanged,
    cpu: Object.fromEntries(cpu) as Record<string, number>,
  }
}

/** Requests by method and resource between two readings, most first: for who asks what they were. */
export function requestsByKind(before: Reading, after: Reading): string[] {
  const name = ({ labels }: Sample) => `${labels.method} ${labels.resource} ${labels.status}`
  const count = (reading: Reading) => {
    const samples = reading.samples.filter(sample => sample.name === requestsName)
    return new Map(samples.map(sample => [name(sample), sample.value]))
  }
  const old = count(before)
  return [...count(after)]
    .map(([kind, value]): [string, number] => [kind, value - (old.get(kind) ?? 0)])
    .filter(([, value]) => value > 0)
    .toSorted((a, b) => b[1] - a[1])
    .map(([kind, value]) => `${value} ${kind}`)
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // A process that ended in between.
    return ''
  }
}
