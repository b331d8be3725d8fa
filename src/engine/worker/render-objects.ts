import { join } from 'node:path'
import { systemClock } from '../../util/clock.ts'
import { silentLogger } from '../../util/log.ts'
import { render } from '../commands/render.ts'
import { withRenderedTarget } from '../commands/run.ts'
import { EngineError } from '../errors.ts'
import { createHelm } from '../helm/index.ts'
import type { EngineHost, FetchedTree, Policy, Progress } from '../host.ts'
import type { Manifest } from '../item.ts'
import { createKustomize } from '../kustomize/index.ts'
import { withoutKeys } from '../sops/index.ts'
import { isObject, type Json } from '../values.ts'
import type { RemoteAccess } from '../vars/remote.ts'
import { plain } from '../vars/remote.ts'
import { pack } from './parcel.ts'
import { type Ask, type RenderStart, workerPolicy } from './protocol.ts'

/** What of the parent a render needs. */
export interface Parent {
  readonly ask: Ask
  readonly progress: Progress
  /** See `EngineHost.onSensitive`. */
  readonly onSensitive: (values: Json) => void
}

/** Renders a target inside the worker; what is not in the checkout is asked of the parent. @throws EngineError */
export async function renderInside(
  start: RenderStart,
  parent: Parent,
  signal: AbortSignal,
): Promise<readonly Manifest[] | ReturnType<typeof pack>> {
  const host = hostOf(start, parent)
  if (start.work === 'deployment') return withRenderedTarget(host, start.flags, signal, run => pack(run))
  return (await render(host, start.flags, signal)).objects
}

function hostOf(start: RenderStart, { ask, progress, onSensitive }: Parent): EngineHost {
  const { scratch, kubernetesVersion, parallelism } = start
  const cacheFolder = join(scratch, 'cache')
  const environment = {}
  const policy = workerPolicy(start)
  // Kustomize would ask the network itself, and it has none.
  const noNetwork: Policy = { ...policy, allowsUrl: () => false }
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
    get: (skill: keyof RenderStart['tools']) => {
      const tool = start.tools[skill]
      return tool === undefined ? Promise.reject(new EngineError(`${skill} is not available`)) : Promise.resolve(tool)
    },
  }
  const puller = { cached: async (...args: unknown[]) => (await ask('chart', ...args.slice(0, 2))) as string }
  const helm = createHelm({ tools, puller, git, sops, policy, progress, cacheFolder, kubernetesVersion, environment })
  return {
    environment,
    kubernetesVersion,
    remote: remoteAccess(ask, onSensitive),
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
    onSensitive,
  }
}

function remoteAccess(ask: Ask, onSensitive: Parent['onSensitive']): RemoteAccess {
  return {
    http: async request => (await ask('http', request)) as Awaited<ReturnType<RemoteAccess['http']>>,
    objects: async query => {
      const objects = plain(await ask('objects', query)) as Awaited<ReturnType<RemoteAccess['objects']>>
      if (query.kind === 'Secret') for (const { data } of objects) onSensitive(decodedWords(data))
      return objects
    },
    secret: async query => {
      const found = (await ask('secret', query)) as Awaited<ReturnType<RemoteAccess['secret']>>
      if ('text' in found) onSensitive(wordsOf(found.text))
      return found
    },
  }
}

function decodedWords(data: Json | undefined): string[] {
  const values = isObject(data) ? Object.values(data) : []
  return values.flatMap(value => (typeof value === 'string' ? wordsOf(Buffer.from(value, 'base64').toString()) : []))
}

/**
 * Words of a text that is to be read as YAML: when that fails, the message may quote one of them. What stands before a
 * colon is a key, which people need to find the place.
 */
function wordsOf(text: string): string[] {
  const values = text.replaceAll(/[\w.-]+["']?\s*:(?=\s|$)/g, ' ')
  return values.split(/[\s"'`,:{}[\]*&!@|>%]+/)
}
