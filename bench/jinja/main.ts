// Renders per second and compile time of src/jinja, CPython's Jinja2 and nunjucks on five templates, in one run.
import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import nunjucks from 'nunjucks'
import { Environment } from '../../src/jinja/index.ts'
import { oraclePython } from '../../test/jinja/oracle/venv.ts'
import { type Sample, samples } from './templates.ts'

interface Measure {
  readonly output: string
  /** Renders of the compiled template a second. */
  readonly renders: number
  /** Compilations of the template and all it includes a second. */
  readonly compiles: number
}

const seconds = Number(process.env.BENCH_SECONDS ?? 2)

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** Runs a second of the processor's time, not of the clock: other work on the machine then changes nothing. */
function perSecond(run: () => void, duration: number): number {
  // Asking for the time takes time, so it is asked once in a batch.
  let batch = 1
  for (const warm = cpuSeconds() + duration / 2; cpuSeconds() < warm; ) {
    const before = cpuSeconds()
    for (let turn = 0; turn < batch; turn++) run()
    if (cpuSeconds() - before < 0.02) batch *= 2
  }
  const start = cpuSeconds()
  for (let done = batch; ; done += batch) {
    for (let turn = 0; turn < batch; turn++) run()
    const spent = cpuSeconds() - start
    if (spent >= duration) return done / spent
  }
}

function all(sample: Sample): Map<string, string> {
  return new Map([...Object.entries(sample.templates), ['main', sample.source]])
}

function measureOurs(sample: Sample): Measure {
  const sources = all(sample)
  const fresh = () =>
    new Environment({
      loader: name => {
        const source = sources.get(name)
        return source === undefined ? undefined : { name, source }
      },
    })
  const template = fresh().getTemplate('main')
  return {
    output: template.render(sample.context),
    renders: perSecond(() => template.render(sample.context), seconds),
    compiles: perSecond(() => {
      const environment = fresh()
      for (const name of sources.keys()) environment.getTemplate(name)
    }, seconds / 2),
  }
}

function measureNunjucks(sample: Sample): Measure | string {
  const sources = all(sample)
  const fresh = () => {
    const loader = {
      getSource: (name: string) => ({ src: sources.get(name) ?? '', path: name, noCache: false }),
    } as unknown as nunjucks.ILoader
    const environment = new nunjucks.Environment(loader, { autoescape: false })
    return environment
  }
  try {
    const template = fresh().getTemplate('main', true)
    return {
      output: template.render(sample.context),
      renders: perSecond(() => template.render(sample.context), seconds),
      compiles: perSecond(() => {
        const environment = fresh()
        for (const name of sources.keys()) environment.getTemplate(name, true)
      }, seconds / 2),
    }
  } catch (error) {
    return `cannot: ${(error instanceof Error ? error.message : String(error)).split('\n').at(-1)?.trim()}`
  }
}

async function measurePython(): Promise<Measure[]> {
  const script = fileURLToPath(new URL('python.py', import.meta.url))
  const child = spawn(await oraclePython(), [script], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(JSON.stringify({ seconds, samples }))
  let text = ''
  for await (const chunk of child.stdout) text += String(chunk)
  return JSON.parse(text) as Measure[]
}

function ratio(ours: number, theirs: Measure | string, key: 'renders' | 'compiles'): string {
  return typeof theirs === 'string' ? '-' : `${(ours / theirs[key]).toFixed(1)} x`
}

function rate(measure: Measure | string, key: 'renders' | 'compiles'): string {
  return typeof measure === 'string' ? measure.slice(0, 24) : measure[key].toFixed(measure[key] < 100 ? 1 : 0)
}

function row(cells: readonly string[]): string {
  return cells.map((cell, index) => (index === 0 ? cell.padEnd(26) : cell.padStart(14))).join(' ')
}

const python = await measurePython()
const results = samples.map((sample, index) => {
  const jinja2 = python[index]
  if (jinja2 === undefined) throw new Error('Python measured fewer templates')
  const ours = measureOurs(sample)
  if (ours.output !== jinja2.output) throw new Error(`${sample.name}: the output differs from Jinja2's`)
  const rival = measureNunjucks(sample)
  return {
    name: sample.name,
    ours,
    jinja2,
    rival,
    sameAsNunjucks: typeof rival !== 'string' && rival.output === ours.output,
  }
})

for (const key of ['renders', 'compiles'] as const) {
  const lines = results.map(({ name, ours, jinja2, rival }) =>
    row([
      name,
      rate(ours, key),
      rate(jinja2, key),
      rate(rival, key),
      ratio(ours[key], jinja2, key),
      ratio(ours[key], rival, key),
    ]),
  )
  const head = row([`${key} a second`, 'src/jinja', 'CPython', 'nunjucks', 'to CPython', 'to nunjucks'])
  process.stdout.write(`${head}\n${lines.join('\n')}\n\n`)
}
const plain = (measure: Measure | string) =>
  typeof measure === 'string' ? measure : { renders: measure.renders, compiles: measure.compiles }
const report = results.map(({ name, ours, jinja2, rival, sameAsNunjucks }) => ({
  name,
  ours: plain(ours),
  cpython: plain(jinja2),
  nunjucks: plain(rival),
  sameAsNunjucks,
}))
const folder = new URL('../results/', import.meta.url)
mkdirSync(folder, { recursive: true })
const file = new URL('jinja.json', folder)
writeFileSync(file, `${JSON.stringify({ node: process.version, cpu: cpus()[0]?.model, seconds, report }, null, 2)}\n`)
process.stdout.write(`numbers: bench/results/jinja.json\n`)
