import { createHash } from 'node:crypto'
import { type Clock, timestamp } from '../../util/clock.ts'
import { EngineError, RefusedError } from '../errors.ts'
import type { HttpAnswer } from '../http.ts'
import { withStoredLogin } from './login.ts'
import type { OciOptions } from './options.ts'
import { maxLayer, packFolder } from './pack.ts'
import { digestForm, parseReference } from './reference.ts'
import { type Descriptor, Registry } from './registry.ts'

/** Where an artifact is now. */
export interface PushedArtifact {
  /** `oci://host/repository@digest`. */
  readonly url: string
  /** Host and repository. */
  readonly repository: string
  readonly tag: string
  readonly digest: string
  /** Files of the folder that such artifacts cannot hold, such as links. */
  readonly leftOut: readonly string[]
}

/** What is pushed, and what is told of it. */
export interface Artifact {
  readonly folder: string
  readonly annotations: Readonly<Record<string, string>>
}

const created = 'org.opencontainers.image.created'
const maxAnswer = 1024 * 1024
const uploadAttempts = 3
const uploadDeadline = 30 * 60_000
const types = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.cncf.flux.config.v1+json',
  layer: 'application/vnd.cncf.flux.content.v1.tar+gzip',
}

/**
 * Pushes a folder as kluctl and Flux do: one layer, a gzipped tar without what `.gitignore` files say.
 * @throws EngineError naming the artifact; RefusedError when the policy does not allow it
 */
export async function pushArtifact(
  options: Omit<OciOptions, 'cacheFolder'>,
  url: string,
  artifact: Artifact,
  signal: AbortSignal,
): Promise<PushedArtifact> {
  const { policy, clock, environment, configFiles } = options
  const { host, repository, reference: tag } = parseReference(url)
  if (digestForm.test(tag)) throw new EngineError(`${url}: a digest cannot be pushed to; expected a tag`)
  if (!policy.allowsUrl(url)) throw new RefusedError(`${url} is not allowed here`)
  const now = timestamp(clock.now())
  const annotations = { [created]: now, ...artifact.annotations }
  const at = annotations[created] ?? ''
  if (!/^\d{4}-\d\d-\d\dT/.test(at) || Number.isNaN(Date.parse(at))) {
    throw new EngineError(`annotation ${created}: expected a time such as ${now}, got ${JSON.stringify(at)}`)
  }
  const { archive, diffId, leftOut } = await packFolder(artifact.folder, signal)
  const config = Buffer.from(JSON.stringify(configOf(at, diffId)))
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: types.manifest,
      config: descriptor(types.config, config),
      layers: [descriptor(types.layer, archive)],
      annotations,
    }),
  )
  const allowsUrl = (one: string) => policy.allowsUrl(one)
  const credential = await withStoredLogin(options.credential(url), host, configFiles, environment, signal)
  await using registry = await Registry.open({ host, repository, credential, allowsUrl, clock, actions: 'pull,push' })
  for (const blob of [archive, config]) await pushBlob(registry, blob, clock, signal)
  await pushManifest(registry, tag, manifest, signal)
  const digest = digestOf(manifest)
  const name = `${host === 'registry-1.docker.io' ? 'index.docker.io' : host}/${repository}`
  return { url: `oci://${name}@${digest}`, repository: name, tag, digest, leftOut }
}

/** The configuration of an image without a system; only its time and its layer say something. */
function configOf(time: string, diffId: string): unknown {
  return {
    architecture: '',
    created: time,
    history: [{ created: time }],
    os: '',
    rootfs: { type: 'layers', diff_ids: [diffId] },
    config: {},
  }
}

/** Uploads a blob in one piece, unless the repository has it. @throws EngineError */
async function pushBlob(registry: Registry, blob: Buffer, clock: Clock, signal: AbortSignal): Promise<void> {
  const digest = digestOf(blob)
  const known = await registry.send({ path: `/blobs/${digest}`, method: 'HEAD', maxBytes: maxLayer }, signal)
  if (known.status === 200) return
  for (let attempt = 1; ; attempt++) {
    const begun = await registry.send({ path: '/blobs/uploads/', method: 'POST', maxBytes: maxAnswer }, signal)
    if (begun.status === 201) return
    if (begun.status !== 202) throw registry.failure(begun, digest)
    const done = await registry.send(
      {
        path: uploadUrl(begun, digest),
        method: 'PUT',
        headers: { 'content-type': 'application/octet-stream' },
        body: blob,
        maxBytes: maxAnswer,
        deadline: uploadDeadline,
        // A session that broke is not gone on with: the next attempt has one of its own.
        attempts: 1,
      },
      signal,
    )
    if (done.status === 201) return
    if (attempt >= uploadAttempts || (done.status < 500 && done.status !== 429)) throw registry.failure(done, digest)
    await clock.sleep(500 * 2 ** attempt, signal)
  }
}

/** Where the registry wants the blob. @throws EngineError when that is nowhere, or less safe than the registry itself */
function uploadUrl({ url, headers }: HttpAnswer, digest: string): string {
  const { location = '' } = headers
  if (location === '' || !URL.canParse(location, url))
    throw new EngineError(`${url}: no place for the upload was named`)
  const target = new URL(location, url)
  if (url.startsWith('https:') && target.protocol !== 'https:') {
    throw new EngineError(`${url}: the upload would go on unencrypted`)
  }
  target.searchParams.set('digest', digest)
  return target.href
}

async function pushManifest(registry: Registry, tag: string, body: Buffer, signal: AbortSignal): Promise<void> {
  const headers = { 'content-type': types.manifest }
  const answer = await registry.send(
    { path: `/manifests/${tag}`, method: 'PUT', headers, body, maxBytes: maxAnswer },
    signal,
  )
  if (answer.status !== 201) throw registry.failure(answer, tag)
}

function descriptor(mediaType: string, bytes: Buffer): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length }
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}
