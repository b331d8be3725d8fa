import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, copyFile, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startSandbox } from '../../src/sandbox/index.ts'
import { parseDockerfile } from '../harness/dockerfile.ts'
import { type RenderedDeployment, renderChart, rendered } from '../harness/helm.ts'
import { createKluctlRepository } from '../harness/kluctl-project.ts'
import { freePorts } from '../harness/ports.ts'
import { waitFor } from '../harness/wait.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')

describe('what the image’s build stage makes', () => {
  let folder: string
  let app: string

  /** The stage's steps in a folder that has nothing but the context; installed packages are linked instead of fetched. */
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'offshoot-image-'))
    await chmod(folder, 0o755)
    app = join(folder, 'offshoot')
    await mkdir(app)
    const stages = parseDockerfile(await readFile(join(root, 'Dockerfile'), 'utf8'))
    for (const { verb, words, text } of stages.find(({ name }) => name === 'build')?.instructions ?? []) {
      if (verb === 'COPY') {
        for (const source of words.slice(0, -1)) await cp(join(root, source), join(app, source), { recursive: true })
      }
      if (verb !== 'RUN') continue
      // What an install would bring is here already; that the lock file agrees with package.json it says all the same.
      const command = text.startsWith('npm ci') ? `${text} --dry-run --offline` : text
      await run('/bin/sh', ['-c', command], { cwd: app, timeout: 280_000 }).catch((cause: { stdout?: string }) => {
        throw new Error(`RUN ${command}: ${cause.stdout}`, { cause })
      })
      if (text.startsWith('npm ci')) await linkPackages()
    }
  }, 300_000)

  afterAll(() => rm(folder, { recursive: true, force: true }))

  async function linkPackages(): Promise<void> {
    const packages = [join(root, 'node_modules'), join(app, 'node_modules')]
    await run('cp', ['--archive', '--link', ...packages]).catch(async () => {
      await rm(join(app, 'node_modules'), { recursive: true, force: true })
      await run('cp', ['--archive', ...packages])
    })
  }

  it('is what runs, and nothing else', async () => {
    const content = ['LICENSE', 'README.md', 'charts', 'config', 'dist', 'node_modules', 'package.json']
    expect((await readdir(app)).sort()).toEqual(content.sort())
    const packages = await readdir(join(app, 'node_modules'))
    expect(packages).toContain('fastify')
    const kubectl = join('@aws-cdk', 'lambda-layer-kubectl-v35')
    for (const tool of ['typescript', 'rolldown', 'vitest', kubectl]) {
      await expect(stat(join(app, 'node_modules', tool))).rejects.toThrow('ENOENT')
    }
  })

  it('renders a project, and loads a fetched one in its cage', async () => {
    const files = {
      '.kluctl.yaml': 'targets: [{name: prod}]\nargs: [{name: color, default: red}]\n',
      'deployment.yaml': 'deployments: [{path: config}]\n',
      'config/config.yaml':
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: config}\ndata: {color: "{{ args.color }}"}\n',
    }
    const { url } = await createKluctlRepository(files)
    const checkout = join(folder, 'checkout')
    await run('git', ['clone', '--quiet', url, checkout])
    const spec = {
      source: { url, forge: { type: 'git' } },
      changes: { branches: { include: ['**'] } },
      deploy: { engine: { target: 'staging' } },
    }
    const file = join(folder, 'project.yaml')
    const head = { apiVersion: 'offshoot.dev/v1alpha1', kind: 'ReviewProject', metadata: { name: 'shop' } }
    await writeFile(file, JSON.stringify({ ...head, spec }))
    const env = { PATH: process.env.PATH, HOME: folder, OFFSHOOT_CACHE_DIR: join(folder, 'own-cache') }
    const offshoot = (...args: string[]) =>
      run(process.execPath, [join(app, 'dist/cli/main.js'), ...args], { cwd: checkout, env })
    const render = ['render', '--offline-kubernetes', '--print-all', '-t', 'prod']
    expect((await offshoot(...render)).stdout).toContain('color: red')
    await expect(offshoot('project', 'check', file, '--fetch')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('target staging not existent'),
    })
  })

  it('serves with the flags of the chart, without root and with nothing to write to but its two volumes', async () => {
    const sandbox = await startSandbox()
    const [webhooks = 0, metrics = 0] = await freePorts(2)
    const [cache, tmp] = [join(folder, 'cache'), join(folder, 'tmp')]
    const node = join(folder, 'node')
    await copyFile(process.execPath, node)
    for (const volume of [cache, tmp]) {
      await mkdir(volume)
      await chmod(volume, 0o777)
    }
    const kubeconfig = join(folder, 'kubeconfig')
    await writeFile(kubeconfig, sandbox.kubeconfig(), { mode: 0o644 })
    const { spec } = rendered<RenderedDeployment>(await renderChart(), 'Deployment').spec.template
    const args = spec.containers[0].args.map(arg =>
      arg
        .replace('--listen=:8080', `--listen=127.0.0.1:${webhooks}`)
        .replace('--metrics-listen=:9090', `--metrics-listen=127.0.0.1:${metrics}`)
        .replace('--cache-folder=/cache', `--cache-folder=${cache}`)
        .replace('--temp-folder=/tmp/', `--temp-folder=${tmp}/`),
    )
    // The root is read-only for Node's own permissions, whoever runs the test.
    const writable = [cache, tmp].map(volume => `--allow-fs-write=${volume}`)
    const cage = ['--permission', '--allow-fs-read=*', ...writable, '--allow-child-process', '--allow-worker']
    const main = join(app, 'dist/cli/main.js')
    const options = {
      cwd: tmp,
      env: { PATH: process.env.PATH, HOME: tmp, TMPDIR: tmp, KUBECONFIG: kubeconfig },
      ...(process.getuid?.() === 0 ? { uid: 1000, gid: 1000 } : {}),
    }
    await run(node, [...cage, main, 'install', '--apply'], { ...options, timeout: 120_000 })
    const child = spawn(node, [...cage, main, ...args], { ...options, stdio: ['ignore', 'ignore', 'pipe'] })
    try {
      const log = logOf(child)
      await waitFor(() => isReady(child, `http://127.0.0.1:${metrics}/readyz`), {
        describe: () => `Offshoot to be ready:\n${log()}`,
        deadline: 90_000,
      })
      child.kill('SIGTERM')
      expect([await once(child, 'exit'), log()]).toEqual([
        [0, null],
        expect.not.stringMatching(/EACCES|EROFS|ERR_ACCESS/),
      ])
    } finally {
      child.kill('SIGKILL')
      await sandbox.close()
    }
  }, 240_000)
})

function logOf(child: ChildProcess): () => string {
  let log = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log += text
  })
  return () => log
}

async function isReady(child: ChildProcess, url: string): Promise<boolean> {
  if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`)
  return (await fetch(url, { signal: AbortSignal.timeout(5_000) })).ok
}
