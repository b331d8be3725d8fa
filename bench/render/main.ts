// Time and memory of offshoot render on three projects, as a process and in process, with cold and warm cache, and of
// kluctl where OFFSHOOT_KLUCTL names it. BENCH_ROUNDS sets the runs per number (default 5), BENCH_ONLY a part of the
// projects' names.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from '../../src/cli/program.ts'
import { Tools } from '../../src/engine/binaries/index.ts'
import { silentProgress } from '../../src/engine/host.ts'
import { systemClock } from '../../src/util/clock.ts'
import { measure, median, type Run } from './measure.ts'
import { type Sample, samples } from './projects.ts'

interface Row {
  readonly project: string
  readonly what: string
  /** Milliseconds, the median. */
  readonly wall: number
  /** Milliseconds of processors, the median. */
  readonly cpu: number | undefined
  /** MB, the median; of all processes. */
  readonly memory: number | undefined
}

const rounds = Number(process.env.BENCH_ROUNDS ?? 5)
const kluctl = process.env.OFFSHOOT_KLUCTL
const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'offshoot-bench-'))

function flags(sample: Sample): string[] {
  return ['render', '--offline-kubernetes', '--kubernetes-version', '1.36.0', '--print-all', '-t', sample.target]
}

/** Programs are found and unpacked before anything is measured: that happens once on a machine. */
async function environment(): Promise<NodeJS.ProcessEnv> {
  const tools = new Tools({ cacheFolder: join(folder, 'tools'), environment: process.env, progress: silentProgress })
  const [helm, kustomize] = [await tools.get('helm'), await tools.get('kustomize')]
  return { ...process.env, OFFSHOOT_HELM_BINARY: helm.path, OFFSHOOT_KUSTOMIZE_BINARY: kustomize.path }
}

type Measured = Pick<Run, 'wall'> & Partial<Run>

async function repeat(
  times: number,
  work: (round: number) => Promise<Measured>,
): Promise<Omit<Row, 'project' | 'what'>> {
  const runs: Measured[] = []
  for (let round = 0; round < times; round++) runs.push(await work(round))
  const middle = (field: 'cpu' | 'memory') => {
    const values = runs.map(it => it[field]).filter(it => it !== undefined)
    return values.length === 0 ? undefined : median(values)
  }
  return { wall: median(runs.map(it => it.wall)), cpu: middle('cpu'), memory: middle('memory') }
}

async function processRows(sample: Sample, env: NodeJS.ProcessEnv): Promise<Row[]> {
  const once = async (cache: string) =>
    measure(process.execPath, [main, ...flags(sample)], sample.folder, { ...env, OFFSHOOT_CACHE_DIR: cache })
  const cold = await repeat(rounds, round => once(join(folder, `cold-${sample.name}-${round}`)))
  const warmCache = join(folder, `warm-${sample.name}`)
  // Charts that mention chance are kept once two runs agreed.
  await once(warmCache)
  await once(warmCache)
  const warm = await repeat(rounds, () => once(warmCache))
  return [
    { project: sample.name, what: 'process, cold', ...cold },
    { project: sample.name, what: 'process, warm', ...warm },
  ]
}

async function inProcess(sample: Sample, env: NodeJS.ProcessEnv, cache: string): Promise<{ wall: number }> {
  let complaint = ''
  const io = {
    stdin: (async function* () {})(),
    stdout: { write: () => true },
    stderr: { write: (text: string) => (complaint += text) },
    env: { ...env, OFFSHOOT_CACHE_DIR: cache },
    clock: systemClock,
    signal: new AbortController().signal,
  }
  const start = performance.now()
  const code = await run([...flags(sample), '--project-dir', sample.folder], io)
  if (code !== 0) throw new Error(complaint)
  return { wall: performance.now() - start }
}

async function inProcessRows(sample: Sample, env: NodeJS.ProcessEnv): Promise<Row[]> {
  await inProcess(sample, env, join(folder, `first-${sample.name}`))
  const cold = await repeat(rounds, round => inProcess(sample, env, join(folder, `in-cold-${sample.name}-${round}`)))
  const cache = join(folder, `warm-${sample.name}`)
  const warm = await repeat(rounds, () => inProcess(sample, env, cache))
  return [
    { project: sample.name, what: 'in process, cold', ...cold },
    { project: sample.name, what: 'in process, warm', ...warm },
  ]
}

async function kluctlRows(sample: Sample, binary: string): Promise<Row[]> {
  const env = { ...process.env, KLUCTL_NO_UPDATE_CHECK: 'true' }
  const result = await repeat(rounds, () => measure(binary, flags(sample), sample.folder, env))
  return [{ project: sample.name, what: 'kluctl', ...result }]
}

function table(rows: readonly Row[]): string {
  const lines = rows.map(({ project, what, wall, cpu, memory }) => {
    const spent = cpu === undefined ? '' : `${cpu.toFixed(0)} ms cpu`
    const size = memory === undefined ? '' : `${memory.toFixed(0)} MB`
    return `${project.padEnd(22)}${what.padEnd(18)}${`${wall.toFixed(0)} ms`.padStart(10)}${spent.padStart(14)}${size.padStart(10)}`
  })
  return `${lines.join('\n')}\n`
}

const rows: Row[] = []
try {
  const env = await environment()
  for (const sample of samples(folder).filter(({ name }) => name.includes(process.env.BENCH_ONLY ?? ''))) {
    const own = [...(await processRows(sample, env)), ...(await inProcessRows(sample, env))]
    rows.push(...own, ...(kluctl === undefined ? [] : await kluctlRows(sample, kluctl)))
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.stdout.write(table(rows))
const results = new URL('../results/', import.meta.url)
mkdirSync(results, { recursive: true })
writeFileSync(new URL('render.json', results), `${JSON.stringify({ rounds, cpus: cpus().length, rows }, null, 2)}\n`)
