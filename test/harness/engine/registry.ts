import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { pack } from 'tar-stream'
import { type LoopbackServer, type Received, type Reply, serve } from './http-server.ts'

/** An entry of an archive; a string is a regular file's content. */
export type Entry =
  | string
  | { type: 'symlink' | 'link' | 'directory' | 'character-device'; linkname?: string }
  | { content: string; mode: number }

/** A gzipped tar with entries in the given order. */
export async function tarball(entries: readonly (readonly [name: string, entry: Entry])[]): Promise<Buffer> {
  const archive = pack()
  for (const [name, entry] of entries) {
    if (typeof entry === 'string') archive.entry({ name }, entry)
    else if ('content' in entry) archive.entry({ name, mode: entry.mode }, entry.content)
    else archive.entry({ name, ...entry }, '')
  }
  archive.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of archive) chunks.push(chunk as Buffer)
  return gzipSync(Buffer.concat(chunks))
}

/** How requests must be authorized. */
export type RegistryAuth = 'none' | 'basic' | 'token'

/** An OCI registry on loopback that knows what was pushed to it, over HTTP or by `push`. */
export interface TestRegistry extends AsyncDisposable {
  readonly host: string
  readonly server: LoopbackServer
  /** Answers before the registry does; null lets it. */
  intercept: (request: Received) => Reply | null
  /** Stores an artifact with layers and gives its digest. */
  push(repository: string, tag: string, layers: readonly Uint8Array[]): string
  /** Stores any manifest, such as an index. */
  pushManifest(repository: string, tag: string, manifest: unknown): string
  /** Puts other bytes in a blob's place. */
  replaceBlob(digest: string, bytes: Uint8Array): void
}

const digestOf = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

/** User `me` with password `pass`, or the token `t` of the token server, or the identity token `id`. */
export async function startRegistry(
  auth: RegistryAuth = 'none',
  tls?: { key: string; cert: string },
): Promise<TestRegistry> {
  const blobs = new Map<string, Uint8Array>()
  const manifests = new Map<string, { body: string; type: string }>()
  const server = await serve(
    request => registry.intercept(request) ?? refuse(request) ?? accept(request) ?? answer(request),
    tls,
  )

  function refuse({ path, headers, body }: Received): Reply | null {
    const basic = headers.authorization === `Basic ${btoa('me:pass')}`
    if (path.startsWith('/token')) {
      const granted = basic || body.includes('refresh_token=id')
      return granted ? JSON.stringify({ access_token: 't' }) : { status: 401, body: '{}' }
    }
    if (auth === 'none' || (auth === 'basic' ? basic : headers.authorization === 'Bearer t')) return null
    const challenge =
      auth === 'basic' ? 'Basic realm="r"' : `Bearer realm="${server.url}/token",service="registry",scope="s"`
    return { status: 401, headers: { 'www-authenticate': challenge } }
  }

  /** Uploads in one piece, as the distribution specification has them; null for everything else. */
  function accept({ method, path, bytes, body, headers }: Received): Reply | null {
    const [, repository = '', reference = ''] = /^\/v2\/(.+)\/manifests\/(.+)$/.exec(path) ?? []
    if (method === 'PUT' && reference !== '') {
      for (const name of [reference, digestOf(bytes)]) {
        manifests.set(`${repository} ${name}`, { body, type: headers['content-type'] ?? '' })
      }
      return { status: 201 }
    }
    if (method === 'POST' && path.endsWith('/blobs/uploads/')) {
      return { status: 202, headers: { location: `${path}session?state=1` } }
    }
    if (method !== 'PUT') return null
    const { pathname, searchParams } = new URL(path, 'http://registry')
    const isFine = pathname.endsWith('/uploads/session') && searchParams.get('state') === '1'
    if (!isFine || searchParams.get('digest') !== digestOf(bytes)) return { status: 400 }
    blobs.set(digestOf(bytes), bytes)
    return { status: 201 }
  }

  function answer({ path }: Received): Reply {
    const [, repository = '', kind, reference = ''] = /^\/v2\/(.+)\/(manifests|blobs)\/(.+)$/.exec(path) ?? []
    const manifest = kind === 'manifests' ? manifests.get(`${repository} ${reference}`) : undefined
    if (manifest !== undefined) return { status: 200, headers: { 'content-type': manifest.type }, body: manifest.body }
    const blob = kind === 'blobs' ? blobs.get(reference) : undefined
    if (blob !== undefined) return { status: 200, body: blob }
    const errors = [
      { code: kind === 'blobs' ? 'BLOB_UNKNOWN' : 'MANIFEST_UNKNOWN', message: `${reference} is unknown` },
    ]
    return { status: 404, body: JSON.stringify({ errors }) }
  }

  const registry: TestRegistry = {
    host: new URL(server.url).host,
    server,
    intercept: () => null,
    push: (repository, tag, layers) => {
      for (const layer of layers) blobs.set(digestOf(layer), layer)
      return registry.pushManifest(repository, tag, {
        schemaVersion: 2,
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        config: { mediaType: 'application/vnd.cncf.flux.config.v1+json', digest: digestOf(Buffer.from('{}')), size: 2 },
        layers: layers.map(layer => ({ mediaType: 'application/x', digest: digestOf(layer), size: layer.length })),
      })
    },
    pushManifest: (repository, tag, manifest) => {
      const body = JSON.stringify(manifest)
      const type = (manifest as { mediaType?: string }).mediaType ?? 'application/json'
      const digest = digestOf(Buffer.from(body))
      for (const reference of [tag, digest]) manifests.set(`${repository} ${reference}`, { body, type })
      return digest
    },
    replaceBlob: (digest, bytes) => void blobs.set(digest, bytes),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
  return registry
}
