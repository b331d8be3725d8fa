import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { Tools } from '../../../src/engine/binaries/index.ts'
import { type Policy, silentProgress } from '../../../src/engine/host.ts'
import type { Manifest } from '../../../src/engine/item.ts'
import {
  type RenderedDeployment,
  renderUntrusted,
  renderUntrustedDeployment,
  type UntrustedAccess,
  type UntrustedRender,
} from '../../../src/engine/worker/index.ts'

/** Shared by all tests, as it takes long to fill. */
const toolCache = join(tmpdir(), 'offshoot-test-tools')

/** Gives a file of tests a temporary folder of its own, so that `remains` sees nothing of others: theirs may be killed. */
export function useOwnTempFolder(): void {
  const before = process.env.TMPDIR
  beforeAll(async () => {
    process.env.TMPDIR = await mkdtemp(join(tmpdir(), 'offshoot-own-'))
  })
  afterAll(async () => {
    await rm(tmpdir(), { recursive: true, force: true })
    if (before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before
  })
}

/** What the controller allows a project by default: its own files and values. */
export const strictPolicy: Policy = {
  sources: new Set(['values', 'file', 'systemEnvVars'] as const),
  allowsUrl: () => false,
  outsideLinks: false,
}

const unasked = () => Promise.reject(new Error('this test does not expect to be asked'))

/** Access that answers nothing, with parts replaced. */
export function accessOf(parts: Partial<UntrustedAccess> = {}): UntrustedAccess {
  return {
    policy: strictPolicy,
    git: { checkout: unasked, listRefs: unasked },
    oci: { pull: unasked },
    remote: { http: unasked, objects: unasked, secret: unasked },
    ...parts,
  }
}

/** Writes a project and gives its folder; `target` is declared, and the item `cm` is there unless files say otherwise. */
export async function untrustedProject(files: Record<string, string>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'offshoot-untrusted-'))
  const usual = {
    '.kluctl.yaml': 'targets: [{name: review}]\ndiscriminator: d\n',
    'deployment.yaml': 'deployments: [{path: cm}]\n',
    'cm/cm.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cm}\ndata: {a: "1"}\n',
  }
  for (const [name, content] of Object.entries({ ...usual, ...files })) {
    await mkdir(dirname(join(root, name)), { recursive: true })
    await writeFile(join(root, name), content)
  }
  return root
}

/** Renders the target `review` in a worker. */
export function renderInWorker(
  root: string,
  options: Partial<UntrustedRender> = {},
  signal = new AbortController().signal,
): Promise<Manifest[]> {
  return renderUntrusted(requestOf(root, options), signal)
}

/** The same with all that a deployment needs. */
export function renderDeploymentInWorker(
  root: string,
  options: Partial<UntrustedRender> = {},
): Promise<RenderedDeployment> {
  return renderUntrustedDeployment(requestOf(root, options), new AbortController().signal)
}

function requestOf(root: string, options: Partial<UntrustedRender>): UntrustedRender {
  const tools = new Tools({
    cacheFolder: toolCache,
    environment: process.env,
    progress: silentProgress,
  })
  const flags = { target: 'review' }
  return { root, flags, access: accessOf(), tools, progress: silentProgress, ...options }
}

/** What workers leave behind of `useOwnTempFolder`: their folders, and processes that know such a folder. Linux only. */
export async function remains(): Promise<string[]> {
  const folders = (await readdir(tmpdir())).filter(name => name.startsWith('offshoot-worker-'))
  const processes: string[] = []
  for (const pid of (await readdir('/proc')).filter(name => /^\d+$/.test(name))) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    if (command.includes('--permission') && command.includes(join(tmpdir(), 'offshoot-worker-')))
      processes.push(`${pid} ${command}`)
  }
  return [...folders, ...processes]
}
