import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EngineError, RefusedError, within } from '../errors.ts'
import type { FetchedTree, OciAccess } from '../host.ts'
import { BlobCache } from './blob-cache.ts'
import { withStoredLogin } from './login.ts'
import type { OciOptions } from './options.ts'
import { maxLayer } from './pack.ts'
import { parseReference } from './reference.ts'
import { type Descriptor, type Manifest, Registry } from './registry.ts'
import { unpack } from './unpack.ts'

export { type RegistryCredential, storedLogin, withStoredLogin } from './login.ts'
export type { OciOptions } from './options.ts'
export { type PushedArtifact, pushArtifact } from './push.ts'
export { type OciReference, parseReference } from './reference.ts'
export { type Descriptor, type Manifest, Registry, type RegistryOptions } from './registry.ts'

type Ref = Parameters<OciAccess['pull']>[1]

/** Artifacts as kluctl pushes them: one layer, a gzipped tar. Each is pulled once per run; disposing removes them. */
export class OciArtifacts implements OciAccess, AsyncDisposable {
  readonly #options: OciOptions
  readonly #cache: BlobCache
  readonly #pulled = new Map<string, Promise<FetchedTree>>()
  readonly #folders: string[] = []

  constructor(options: OciOptions) {
    this.#options = options
    this.#cache = new BlobCache(join(options.cacheFolder, 'oci'))
  }

  /** @throws EngineError naming the artifact; RefusedError when the policy does not allow it */
  async pull(url: string, ref: Ref, signal: AbortSignal): Promise<FetchedTree> {
    if (!this.#options.policy.allowsUrl(url)) throw new RefusedError(`${url} is not allowed here`)
    const key = JSON.stringify([url, ref?.tag, ref?.digest])
    let pulled = this.#pulled.get(key)
    if (pulled === undefined) {
      pulled = this.#pull(url, ref, signal)
      this.#pulled.set(key, pulled)
      pulled.catch(() => this.#pulled.delete(key))
    }
    try {
      return await pulled
    } catch (error) {
      signal.throwIfAborted()
      throw within(`failed to pull ${url}`, error)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#pulled.values())
    await Promise.all(this.#folders.map(folder => rm(folder, { recursive: true, force: true })))
  }

  async #pull(url: string, ref: Ref, signal: AbortSignal): Promise<FetchedTree> {
    const { host, repository, reference } = parseReference(url, ref)
    const { policy, clock, environment, configFiles } = this.#options
    const allowsUrl = (one: string) => policy.allowsUrl(one)
    const credential = await withStoredLogin(this.#options.credential(url), host, configFiles, environment, signal)
    await using registry = await Registry.open({ host, repository, credential, allowsUrl, clock })
    const manifest = await imageManifest(registry, reference, signal)
    const layer = firstLayer(manifest)
    const archive = (await this.#cache.get(layer.digest)) ?? (await this.#download(registry, layer, signal))
    if (archive[0] !== 0x1f || archive[1] !== 0x8b) throw new EngineError('its first layer is not a gzipped tar')
    const folder = await mkdtemp(join(tmpdir(), 'offshoot-oci-'))
    this.#folders.push(folder)
    await unpack(archive, folder, signal)
    return { folder, revision: manifest.digest }
  }

  async #download(registry: Registry, layer: Descriptor, signal: AbortSignal): Promise<Buffer> {
    const bytes = await registry.blob(layer, maxLayer, signal)
    await this.#cache.put(layer.digest, bytes)
    return bytes
  }
}

/** The manifest itself; of an index the one for Linux on amd64, else the only one. */
async function imageManifest(registry: Registry, reference: string, signal: AbortSignal): Promise<Manifest> {
  const manifest = await registry.manifest(reference, signal)
  const { manifests } = manifest.content
  if (!Array.isArray(manifests)) return manifest
  const entries = manifests as (Descriptor & { platform?: { os?: string; architecture?: string } })[]
  const fitting = entries.find(({ platform }) => platform?.os === 'linux' && platform.architecture === 'amd64')
  const chosen = fitting ?? (entries.length === 1 ? entries[0] : undefined)
  if (chosen === undefined) throw new EngineError('it is an index without a manifest for linux/amd64')
  return registry.manifest(chosen.digest, signal)
}

function firstLayer({ content }: Manifest): Descriptor {
  const layer: unknown = Array.isArray(content.layers) ? content.layers[0] : undefined
  const { digest, size, mediaType } = (layer ?? {}) as Partial<Descriptor>
  if (typeof digest !== 'string' || typeof size !== 'number') throw new EngineError('no layers found in artifact')
  return { digest, size, mediaType: mediaType ?? '' }
}
