import { EngineError } from '../errors.ts'

/** An artifact in a registry (OCI distribution specification). */
export interface OciReference {
  /** Host and port. */
  readonly host: string
  readonly repository: string
  /** A tag, or a digest such as `sha256:…`. */
  readonly reference: string
}

const repositoryForm = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/
const tagForm = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/

/** Digests that are understood; others cannot be verified. */
export const digestForm = /^(sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128})$/

/** Reads `oci://host/repository`, with `:tag` or `@digest` in it or given beside it; default tag `latest`. @throws EngineError */
export function parseReference(
  url: string,
  ref: { tag?: string | undefined; digest?: string | undefined } = {},
): OciReference {
  const parts = /^oci:\/\/([^/@\s]+)\/([^:@\s]+?)\/?(?::([^@\s]*))?(?:@(\S+))?$/.exec(url)
  if (parts === null) throw new EngineError(`expected oci://host/repository, got ${JSON.stringify(shown(url))}`)
  const [, host = '', path = '', ownTag, ownDigest] = parts
  if (ref.tag && ref.digest) throw new EngineError(`${url}: only one of tag and digest can be set`)
  const digest = ref.digest || (ref.tag ? undefined : ownDigest)
  const tag = ref.tag || ownTag || 'latest'
  // Docker Hub is known by this name; its registry has another, and official images a folder of their own.
  const hub = host === 'docker.io' || host === 'index.docker.io'
  const repository = hub && !path.includes('/') ? `library/${path}` : path
  if (!repositoryForm.test(repository)) throw new EngineError(`${url}: ${path} is not the name of a repository`)
  if (digest !== undefined && !digestForm.test(digest)) throw new EngineError(`${url}: ${digest} is not a digest`)
  if (!tagForm.test(tag)) throw new EngineError(`${url}: ${tag} is not a tag`)
  return { host: hub ? 'registry-1.docker.io' : host, repository, reference: digest ?? tag }
}

function shown(url: string): string {
  return url.replace(/\/\/[^/@]*@/, '//***@')
}
