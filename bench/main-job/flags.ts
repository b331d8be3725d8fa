import { parseArgs } from 'node:util'

/** Parts of the benchmark; `--only` names some of them. */
export const parts = [
  'single',
  'kluctl',
  'engine',
  'burst',
  'replay',
  'pushes',
  'stream',
  'rest',
  'restart',
  'close',
  'churn',
] as const
export type Part = (typeof parts)[number]

/** How large the benchmark is. */
export interface Sizes {
  /** Pull requests opened one after the other, per measurement. */
  rounds: number
  /** Environments of the burst, which then are in place. */
  burst: number
  /** Environments in place for the last measurements of latency; 0: none. */
  crowd: number
  /** Environments put in place without deploying them, for a restart and rest of their own; 0: none. */
  placed: number
  /** Seconds of pushes, 50 in each. */
  pushSeconds: number
  /** Webhooks 30 ms apart. */
  stream: number
  /** Seconds of looking on while nothing happens. */
  restSeconds: number
  /** Replacements of ten pull requests. */
  churnRounds: number
  only: ReadonlySet<Part>
}

const full = { rounds: 20, burst: 1000, crowd: 0, placed: 0, pushes: 10, stream: 100, rest: 120, churn: 30 }
const quick = { rounds: 5, burst: 100, crowd: 0, placed: 0, pushes: 3, stream: 30, rest: 15, churn: 5 }

export const usage = `npm run bench -- main-job [flags]
  --quick        sizes for a look of two minutes
  --rounds N     pull requests one after the other, per measurement (default ${full.rounds})
  --burst N      pull requests at once, and environments in place after that (default ${full.burst})
  --crowd N      fill up to N environments and measure latency and rest again (default: not)
  --placed N     restart, rest and one at a time, with N environments that nobody deployed: quick to fill (default: not)
  --pushes S     seconds of 50 pushes each (default ${full.pushes})
  --stream N     webhooks 30 ms apart (default ${full.stream})
  --rest S       seconds at rest (default ${full.rest})
  --churn N      rounds in which ten pull requests are replaced (default ${full.churn})
  --only A,B     some of: ${parts.join(', ')}
`

/** Reads the command line. @throws Error naming the flag and what it expects */
export function parseSizes(args: readonly string[]): Sizes {
  const number = { type: 'string' } as const
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      rounds: number,
      burst: number,
      crowd: number,
      placed: number,
      pushes: number,
      stream: number,
      rest: number,
      churn: number,
      only: { type: 'string', default: parts.join(',') },
    },
  })
  const defaults = values.quick ? quick : full
  const size = (name: keyof typeof full): number => {
    const value = Number(values[name] ?? defaults[name])
    if (!Number.isInteger(value) || value < 0)
      throw new Error(`--${name}: expected a whole number, got ${values[name]}`)
    return value
  }
  const only = values.only.split(',').map(part => {
    if (!(parts as readonly string[]).includes(part)) {
      throw new Error(`--only: expected some of ${parts.join(', ')}, got ${part}`)
    }
    return part as Part
  })
  return {
    rounds: size('rounds'),
    burst: size('burst'),
    crowd: size('crowd'),
    placed: size('placed'),
    pushSeconds: size('pushes'),
    stream: size('stream'),
    restSeconds: size('rest'),
    churnRounds: size('churn'),
    only: new Set(only),
  }
}
