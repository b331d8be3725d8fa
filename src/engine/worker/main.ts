// Runs in the worker: a process of its own that renders one target of a project that is not trusted.
import { join } from 'node:path'
import { systemClock } from '../../util/clock.ts'
import { messageOf } from '../../util/errors.ts'
import { silentLogger } from '../../util/log.ts'
import { shareGroup } from '../binaries/index.ts'
import { render } from '../commands/render.ts'
import { EngineError } from '../errors.ts'
import { createHelm } from '../helm/index.ts'
import type { EngineHost, FetchedTree, Policy, Progress } from '../host.ts'
import { createKustomize } from '../kustomize/index.ts'
import { withoutKeys } from '../sops/index.ts'
import type { RemoteAccess } from '../vars/remote.ts'
import { plain } from '../vars/remote.ts'
import { closeNetwork } from './guard.ts'
import {
  errorOf,
  type Failure,
  type FromWorker,
  failureOf,
  fetchedFolder,
  type Question,
  type ToWorker,
  type WorkerStart,
} from './protocol.ts'

const maxNotes = 1_000
const waiting = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>()
let asked = 0

closeNetwork()
shareGroup()
process.on('message', (message: ToWorker) => receive(message))
// Nobody is left to give the result to.
process.on('disconnect', () => process.kill(-process.pid, 'SIGKILL'))

function receive(message: ToWorker): void {
  if ('start' in message) {
    void run(message.start)
    return
  }
  const question = waiting.get(message.id)
  waiting.delete(message.id)
  if ('failed' in message) question?.reject(errorOf(message.failed))
  else question?.resolve(message.value)
}

async function run(start: WorkerStart): Promise<void> {
  try {
    const { objects } = await render(hostOf(start), start.flags, new AbortController().signal)
    // A bigint has no JSON; its digits count about the same.
    const size = Buffer.byteLength(
      JSON.stringify(objects, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value)),
    )
    if (size > start.maxOutput) throw new EngineError(`the objects have ${size} bytes, more than ${start.maxOutput}`)
    send({ done: objects })
  } catch (error) {
    const failed: Failure = failureOf(error, messageOf(error).slice(0, 100_000))
    send({ failed })
  }
}

function send(message: FromWorker): void {
  process.send?.(message)
}

function ask(question: Question, ...args: unknown[]): Promise<unknown> {
  const id = ++asked
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject })
    send({ ask: question, id, args })
  })
}

function hostOf(start: WorkerStart): EngineHost {
  const { sources, scratch, kubernetesVersion, parallelism } = start
  const cacheFolder = join(scratch, 'cache')
  const environment = {}
  const policy: Policy = {
    sources: sources === 'all' ? 'all' : new Set(sources),
    // Where it comes to asking, the parent judges.
    allowsUrl: () => true,
    outsideLinks: false,
    fetched: join(scratch, fetchedFolder),
  }
  // Kustomize would ask the network itself, and it has none.
  const noNetwork: Policy = { ...policy, allowsUrl: () => false }
  const progress = notes()
  const git: EngineHost['git'] = {
    checkout: async (url, ref) => (await ask('checkout', url, ref)) as FetchedTree,
    listRefs: async url => (await ask('listRefs', url)) as { refs: Map<string, string>; defaultRef: string },
  }
  const sops: EngineHost['sops'] = {
    decrypt: async (content, path, signal) => {
      if (start.keys) return (await ask('decrypt', content, path)) as Uint8Array | undefined
      return withoutKeys.decrypt(content, path, signal)
    },
  }
  const tools = {
    get: (skill: keyof WorkerStart['tools']) => {
      const tool = start.tools[skill]
      return tool === undefined ? Promise.reject(new EngineError(`${skill} is not available`)) : Promise.resolve(tool)
    },
  }
  const puller = { cached: async (...args: unknown[]) => (await ask('chart', ...args.slice(0, 2))) as string }
  const helm = createHelm({ tools, puller, git, sops, policy, progress, cacheFolder, kubernetesVersion, environment })
  return {
    environment,
    kubernetesVersion,
    remote: remoteAccess(),
    git,
    oci: { pull: async (url, ref) => (await ask('pull', url, ref)) as FetchedTree },
    helm,
    kustomize: createKustomize({ tools, helm, sops, policy: noNetwork, environment, cacheFolder }),
    sops,
    cacheFolder,
    clock: systemClock,
    logger: silentLogger,
    progress,
    policy,
    parallelism,
  }
}

function remoteAccess(): RemoteAccess {
  return {
    http: async request => (await ask('http', request)) as Awaited<ReturnType<RemoteAccess['http']>>,
    objects: async query => plain(await ask('objects', query)) as Awaited<ReturnType<RemoteAccess['objects']>>,
    secret: async query => (await ask('secret', query)) as Awaited<ReturnType<RemoteAccess['secret']>>,
  }
}

function notes(): Progress {
  let left = maxNotes
  const note = (kind: 'warn' | 'info', message: string) => {
    if (left-- > 0) send({ note: kind, message: message.slice(0, 10_000) })
  }
  return {
    start: () => () => undefined,
    warn: message => note('warn', message),
    info: message => note('info', message),
  }
}
