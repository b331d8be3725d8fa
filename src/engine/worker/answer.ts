import { cp, mkdtemp, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { EngineError, RefusedError } from '../errors.ts'
import type { ChartPuller } from '../helm/index.ts'
import type { GitAccess, OciAccess, Policy } from '../host.ts'
import type { Sops } from '../item.ts'
import type { RemoteAccess } from '../vars/remote.ts'
import type { SourceName } from '../vars/source.ts'
import { checkTree } from './check-tree.ts'
import { fetchedFolder, type Question } from './protocol.ts'

/** What the parent does for an untrusted project, within its policy. */
export interface UntrustedAccess {
  readonly policy: Policy
  readonly git: GitAccess
  readonly oci: OciAccess
  readonly remote: RemoteAccess
  /** Pulls charts; absent, only charts in the project can be used. */
  readonly charts?: Pick<ChartPuller, 'cached'> | undefined
  /** Opens encrypted files; absent, they are an error. */
  readonly sops?: Sops | undefined
}

/** Answers one question of a worker. @throws EngineError, RefusedError */
export async function answer(
  question: Question,
  args: readonly unknown[],
  access: UntrustedAccess,
  scratch: string,
  signal: AbortSignal,
): Promise<unknown> {
  const { policy, git, oci, remote, charts, sops } = access
  const [first, second] = args as [never, never]
  switch (question) {
    case 'checkout':
      return copied(await git.checkout(judged(first, policy), second, signal), scratch)
    case 'listRefs':
      return git.listRefs(judged(first, policy), signal)
    case 'pull':
      return copied(await oci.pull(judged(first, policy), second, signal), scratch)
    case 'chart':
      if (charts === undefined) throw new RefusedError('charts are not pulled for this project: put them into it')
      judged((first as { source: { url: string } }).source.url, policy)
      return (await copied({ folder: await charts.cached(first, second, signal), revision: '' }, scratch)).folder
    case 'http':
      judgedSource('http', policy)
      judged((first as { url: string }).url, policy)
      return remote.http(first, signal)
    case 'objects':
      return remote.objects(judgedObjects(first, policy), signal)
    case 'secret':
      judgedSource((first as { store: SourceName }).store, policy)
      return remote.secret(first, signal)
    case 'decrypt':
      if (sops === undefined) throw new RefusedError('this run has no keys')
      return sops.decrypt(first, second, signal)
    default:
      throw new EngineError(`the worker asked what nobody answers: ${String(question)}`)
  }
}

function judged(url: string, policy: Policy): string {
  if (typeof url === 'string' && policy.allowsUrl(url)) return url
  throw new RefusedError(`${String(url)} is not allowed here`)
}

function judgedSource(name: SourceName, policy: Policy): void {
  if (policy.sources !== 'all' && !policy.sources.has(name)) {
    throw new RefusedError(`variables from ${name} are not allowed here`)
  }
}

/** `clusterObject` may ask for anything; the two others for their own kind only. */
function judgedObjects<T extends { kind: string; apiVersion?: string | undefined }>(query: T, policy: Policy): T {
  const own = query.apiVersion === 'v1' && { ConfigMap: 'clusterConfigMap', Secret: 'clusterSecret' }[query.kind]
  const allowed = policy.sources === 'all' || policy.sources.has('clusterObject')
  if (!allowed) judgedSource((own || 'clusterObject') as SourceName, policy)
  return query
}

/** The worker may read its scratch folder only, so what was fetched is put there. */
async function copied(
  tree: { folder: string; revision: string },
  scratch: string,
): Promise<{ folder: string; revision: string }> {
  const from = await realpath(tree.folder)
  await checkTree(from)
  const folder = await mkdtemp(join(scratch, fetchedFolder, 'tree-'))
  await cp(from, folder, { recursive: true, verbatimSymlinks: true, filter: source => !source.endsWith('/.git') })
  return { folder, revision: tree.revision }
}
