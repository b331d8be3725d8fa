// Time, memory and requests of offshoot deploy, diff, prune and delete as whole processes on a real control plane, as it
// is built for users, and of kluctl where OFFSHOOT_KLUCTL names it. BENCH_ROUNDS sets the runs per number (default 3),
// BENCH_ONLY a part of the projects' names.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundle } from '../../src/cli/bundle.ts'
import { Tools } from '../../src/engine/binaries/index.ts'
import { silentProgress } from '../../src/engine/host.ts'
import { KubeClient } from '../../src/kube/client.ts'
import { startControlPlane } from '../../test/harness/control-plane/control-plane.ts'
import { measure, median, type Run } from '../render/measure.ts'
import { type Sample, samples } from '../render/projects.ts'
import { Counter } from './counter.ts'

interface Row {
  readonly project: string
  readonly program: string
  readonly what: string
  /** Milliseconds, the median. */
  readonly wall: number
  /** Milliseconds of processors, the median. */
  readonly cpu: number
  /** MB, the median; of all processes. */
  readonly memory: number
  /** To the API server, by what they are, in one more round. */
  readonly requests: Readonly<Record<string, number>>
}

/** One of the programs that are compared, and how it is started. */
interface Program {
  readonly name: string
  readonly file: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
}

const rounds = Number(process.env.BENCH_ROUNDS ?? 3)
const folder = mkdtempSync(join(tmpdir(), 'offshoot-bench-'))
const discriminator = 'bench'

async function programs(): Promise<Program[]> {
  const tools = new Tools({ cacheFolder: join(folder, 'tools'), environment: process.env, progress: silentProgress })
  const [helm, kustomize] = [await tools.get('helm'), await tools.get('kustomize')]
  const own = {
    ...process.env,
    OFFSHOOT_HELM_BINARY: helm.path,
    OFFSHOOT_KUSTOMIZE_BINARY: kustomize.path,
    OFFSHOOT_CACHE_DIR: join(folder, 'cache'),
  }
  const dist = fileURLToPath(new URL('../../dist', import.meta.url))
  await bundle(dist)
  const kluctl = process.env.OFFSHOOT_KLUCTL
  return [
    { name: 'offshoot', file: process.execPath, args: [join(dist, 'cli', 'main.js')], env: own },
    ...(kluctl === undefined
      ? []
      : [{ name: 'kluctl', file: kluctl, args: [], env: { ...process.env, KLUCTL_NO_UPDATE_CHECK: 'true' } }]),
  ]
}

/** Changes one value of one object of a project, another one each time. */
function change(sample: Sample, round: number): void {
  const files = readdirSync(sample.folder, { recursive: true, encoding: 'utf8' }).filter(file => /\.ya?ml$/.test(file))
  for (const file of files.sort()) {
    const path = join(sample.folder, file)
    const text = readFileSync(path, 'utf8')
    const changed = text.replace(/cpu: \d+m/, `cpu: ${round + 1}m`)
    if (changed === text) continue
    writeFileSync(path, changed)
    return
  }
  throw new Error(`${sample.name} has nothing to change`)
}

/** What is measured in each round, in this order; `before` is not. */
const steps: readonly { what: string; args: readonly string[]; before?: (sample: Sample, round: number) => void }[] = [
  { what: 'deploy, fresh', args: ['deploy', '--yes', '--no-wait'] },
  { what: 'deploy, unchanged', args: ['deploy', '--yes', '--no-wait'] },
  { what: 'deploy, one change', args: ['deploy', '--yes', '--no-wait'], before: change },
  { what: 'diff', args: ['diff'] },
  { what: 'prune', args: ['prune', '--yes'] },
  // Waits until all is gone, as the next round needs it.
  { what: 'delete', args: ['delete', '--yes'] },
]

/** Does all steps once; `seen` is told of each. */
async function round(
  sample: Sample,
  program: Program,
  kubeconfig: string,
  number: number,
  seen: (what: string, run: Run) => void,
): Promise<void> {
  const target = ['-t', sample.target, '--discriminator', discriminator]
  const cluster = ['--kubeconfig', kubeconfig, '--context', 'default']
  for (const { what, args, before } of steps) {
    before?.(sample, number)
    const all = [...program.args, ...args, ...target, ...cluster]
    seen(what, await measure(program.file, all, sample.folder, program.env))
  }
}

async function rowsOf(sample: Sample, program: Program, kubeconfig: string): Promise<Row[]> {
  const runs = new Map<string, Run[]>()
  for (let number = 0; number < rounds; number++) {
    await round(sample, program, kubeconfig, number, (what, run) => runs.set(what, [...(runs.get(what) ?? []), run]))
  }
  await using counter = await Counter.start(kubeconfig, folder)
  const requests = new Map<string, Record<string, number>>()
  await round(sample, program, counter.kubeconfig, rounds, what =>
    requests.set(what, Object.fromEntries(counter.take())),
  )
  return [...runs].map(([what, all]) => ({
    project: sample.name,
    program: program.name,
    what,
    wall: median(all.map(({ wall }) => wall)),
    cpu: median(all.map(({ cpu }) => cpu)),
    memory: median(all.map(({ memory }) => memory)),
    requests: requests.get(what) ?? {},
  }))
}

function table(rows: readonly Row[]): string {
  const lines = rows.map(({ project, program, what, wall, cpu, memory, requests }) =>
    [
      project.padEnd(22),
      program.padEnd(10),
      what.padEnd(20),
      `${wall.toFixed(0)} ms`.padStart(10),
      `${cpu.toFixed(0)} ms cpu`.padStart(14),
      `${memory.toFixed(0)} MB`.padStart(10),
      `${Object.values(requests).reduce((sum, count) => sum + count, 0)} requests`.padStart(15),
    ].join(''),
  )
  return `${lines.join('\n')}\n`
}

const rows: Row[] = []
const controlPlane = await startControlPlane()
const kube = KubeClient.fromKubeconfig(controlPlane.adminKubeconfig)
try {
  await kube.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'bench' } })
  // Charts are what rendering is measured by.
  const chosen = samples(folder).filter(({ name }) => !name.includes('charts'))
  for (const sample of chosen.filter(({ name }) => name.includes(process.env.BENCH_ONLY ?? ''))) {
    for (const program of await programs()) {
      const more = await rowsOf(sample, program, controlPlane.adminKubeconfig)
      process.stdout.write(table(more))
      rows.push(...more)
    }
  }
} finally {
  await kube.close()
  await controlPlane.stop()
  rmSync(folder, { recursive: true, force: true })
}
const results = new URL('../results/', import.meta.url)
mkdirSync(results, { recursive: true })
writeFileSync(new URL('deploy.json', results), `${JSON.stringify({ rounds, cpus: cpus().length, rows }, null, 2)}\n`)
