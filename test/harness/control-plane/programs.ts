import { spawn } from 'node:child_process'
import { access, constants, mkdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { OffshootError } from '../../../src/util/errors.ts'
import { withLock } from './lock.ts'

/** Version of Kubernetes that `build/go.mod` pins. */
export const kubernetesVersion = 'v1.36.3'

const packages = {
  etcd: 'go.etcd.io/etcd/server/v3',
  'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
  'kube-controller-manager': 'k8s.io/kubernetes/cmd/kube-controller-manager',
}

/** Name of a program of the control plane. */
export type ProgramName = keyof typeof packages

const names = Object.keys(packages) as ProgramName[]
const buildFolder = join(import.meta.dirname, 'build')

/**
 * The folder that holds etcd, kube-apiserver and kube-controller-manager: `KUBEBUILDER_ASSETS` when it is complete,
 * else a cache of this user, filled by building from Go modules (some minutes, once).
 * @throws OffshootError when nothing is cached and there is no Go
 */
export async function findPrograms(
  options: { signal?: AbortSignal; log?: (line: string) => void } = {},
): Promise<string> {
  const assets = process.env.KUBEBUILDER_ASSETS
  if (assets && (await isComplete(assets))) return assets
  const cache = join(
    process.env.XDG_CACHE_HOME || join(homedir(), '.cache'),
    'offshoot',
    'control-plane',
    kubernetesVersion,
  )
  if (await isComplete(cache)) return cache
  await mkdir(cache, { recursive: true })
  await withLock(join(cache, 'build.lock'), () => buildMissing(cache, options), options.signal)
  return cache
}

async function isComplete(folder: string): Promise<boolean> {
  const found = await Promise.all(names.map(name => isExecutable(join(folder, name))))
  return found.every(Boolean)
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}

async function buildMissing(
  cache: string,
  options: { signal?: AbortSignal; log?: (line: string) => void },
): Promise<void> {
  for (const name of names) {
    const target = join(cache, name)
    if (await isExecutable(target)) continue
    options.log?.(`building ${name} from Go modules (once; minutes on a cold cache)`)
    // Renamed when complete, so that a build that was cut short is never taken for a program.
    const temporary = `${target}.${process.pid}.tmp`
    try {
      await goBuild(packages[name], temporary, options.signal)
      await rename(temporary, target)
    } finally {
      await rm(temporary, { force: true })
    }
  }
}

/** Without these flags the server calls itself v0.0.0-master and clients misbehave. */
function linkerFlags(): string {
  const [major, minor] = kubernetesVersion.slice(1).split('.')
  const version = 'k8s.io/component-base/version'
  return `-s -w -X ${version}.gitVersion=${kubernetesVersion} -X ${version}.gitMajor=${major} -X ${version}.gitMinor=${minor}`
}

function goBuild(packageName: string, output: string, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('go', ['build', '-trimpath', `-ldflags=${linkerFlags()}`, '-o', output, packageName], {
      cwd: buildFolder,
      env: { ...process.env, CGO_ENABLED: '0' },
      stdio: ['ignore', 'ignore', 'pipe'],
      ...(signal ? { signal } : {}),
    })
    let tail = ''
    child.stderr.on('data', chunk => {
      tail = (tail + chunk).slice(-4000)
    })
    child.once('error', (cause: NodeJS.ErrnoException) => {
      const message =
        cause.code === 'ENOENT'
          ? 'the tests need a Kubernetes control plane: install Go 1.26 or later so that it can be built, or set KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver and kube-controller-manager'
          : `go build ${packageName} could not run`
      reject(new OffshootError(message, { cause }))
    })
    child.once('close', code => {
      if (code === 0) resolve()
      else reject(new OffshootError(`go build ${packageName} failed with exit code ${code}:\n${tail}`))
    })
  })
}
