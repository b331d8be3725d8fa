import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** What kluctl 2.28.2 bundles (github:kluctl/kluctl, lib/go-jinja2/internal/requirements.txt). */
export const requirements = [
  'Jinja2==3.1.6',
  'MarkupSafe==3.0.3',
  'PyYAML==6.0.3',
  'python-slugify==8.0.4',
  'text-unidecode==1.3',
] as const

function cacheDir(): string {
  const base = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache')
  const versions = requirements.map(r => r.split('==')[1]).join('-')
  return join(base, 'offshoot', 'jinja-oracle', versions)
}

async function step(what: string, command: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await run(command, [...args], { timeout: 300_000, maxBuffer: 1 << 24 })
    return stdout
  } catch (cause) {
    throw new Error(`The Jinja2 oracle needs Python 3 with venv and pip: ${what} failed`, { cause })
  }
}

async function build(dir: string): Promise<void> {
  await step('python3 --version', 'python3', ['--version'])
  await mkdir(join(dir, '..'), { recursive: true })
  // Built aside and renamed: two runs at once never see a half-made venv, and no lock can go stale.
  const aside = `${dir}.${process.pid}.tmp`
  await rm(aside, { recursive: true, force: true })
  try {
    await step('python3 -m venv (Debian: apt install python3-venv)', 'python3', ['-m', 'venv', aside])
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...requirements]
    await step('pip install of the pinned versions', join(aside, 'bin', 'python'), pip)
    await rename(aside, dir)
  } catch (error) {
    await rm(aside, { recursive: true, force: true })
    if (!existsSync(join(dir, 'bin', 'python'))) throw error
  }
}

/**
 * The Python of a venv with the pinned versions, made on demand in a cache of the user outside the
 * work tree. Throws one clear sentence when Python, venv or the packages cannot be had.
 */
export async function oraclePython(): Promise<string> {
  const dir = cacheDir()
  const python = join(dir, 'bin', 'python')
  if (!existsSync(python)) await build(dir)
  return python
}
