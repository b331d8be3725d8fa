import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** One run of a program with all that it starts. */
export interface Run {
  /** Milliseconds by the clock. */
  readonly wall: number
  /** Milliseconds of processors, with all processes that ended: on a busy machine the number to look at. */
  readonly cpu: number
  /** Most memory at a time, of all its processes together, in MB. */
  readonly memory: number
  readonly stdout: string
}

/** Runs a program to its end. @throws Error with its standard error when it fails */
export function measure(file: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<Run> {
  return new Promise((resolve, reject) => {
    const start = performance.now()
    const child = spawn(file, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let memory = 0
    let cpu = 0
    const sampling = setInterval(() => {
      memory = Math.max(memory, residentOf(child.pid ?? 0))
      cpu = Math.max(cpu, cpuOf(child.pid ?? 0))
    }, 10)
    const out: Buffer[] = []
    let complaint = ''
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()))
    child.on('error', reject)
    child.on('close', code => {
      clearInterval(sampling)
      const wall = performance.now() - start
      if (code === 0) resolve({ wall, cpu, memory, stdout: Buffer.concat(out).toString() })
      else reject(new Error(`${file} ended with ${code}: ${complaint}`))
    })
  })
}

/** User and system time of a process and of its children that ended (proc(5)); 100 ticks are a second. */
function cpuOf(pid: number): number {
  const fields = read(`/proc/${pid}/stat`)
    .replace(/^.*\) /, '')
    .split(' ')
  return [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at] ?? 0) * 10, 0)
}

/** Proportional memory of a process and its descendants in MB, from /proc (0 where there is none). */
function residentOf(root: number): number {
  const parents = new Map<number, number>()
  for (const name of numbers('/proc')) {
    const stat = read(`/proc/${name}/stat`)
    const parent = /\) \S (\d+)/.exec(stat)?.[1]
    if (parent !== undefined) parents.set(name, Number(parent))
  }
  let total = 0
  for (const pid of parents.keys()) {
    let at: number | undefined = pid
    while (at !== undefined && at !== root && at > 1) at = parents.get(at)
    if (at !== root) continue
    total += Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) / 1024
  }
  return total
}

function numbers(folder: string): number[] {
  try {
    return readdirSync(folder).map(Number).filter(Number.isInteger)
  } catch {
    return []
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    // Gone since it was listed.
    return ''
  }
}

/** The middle of some numbers. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
