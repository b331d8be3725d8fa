import { GitError } from './errors.ts'
import type { CheckedRemote } from './remote.ts'
import { runGit } from './run.ts'

/** Branches of a remote. */
export interface RemoteBranches {
  /** Name without `refs/heads/`, to commit. */
  branches: Map<string, string>
  /** What HEAD points to, if the remote says. */
  defaultBranch?: string
}

const line = /^(?:ref: (?<target>refs\/[^\t]+)|(?<sha>[0-9a-f]{40}|[0-9a-f]{64}))\t(?<name>[^\t]+)$/

/**
 * All branches, by `git ls-remote`: whole, or an error.
 * @throws GitError
 */
export async function listBranches(remote: CheckedRemote, signal?: AbortSignal): Promise<RemoteBranches> {
  const refs = await lsRemote(remote, ['HEAD', 'refs/heads/*'], signal)
  const branches = new Map<string, string>()
  for (const [name, sha] of refs.shas) {
    if (name.startsWith('refs/heads/')) branches.set(name.slice('refs/heads/'.length), sha)
  }
  const head = refs.head?.startsWith('refs/heads/') ? { defaultBranch: refs.head.slice('refs/heads/'.length) } : {}
  return { branches, ...head }
}

/** Branches and tags of a remote by their full names, and what HEAD points to. Tags give the commit that they mean. */
export interface RemoteRefs {
  refs: Map<string, string>
  defaultRef?: string
}

/**
 * All branches and tags, by `git ls-remote`: whole, or an error.
 * @throws GitError
 */
export async function listRefs(remote: CheckedRemote, signal?: AbortSignal): Promise<RemoteRefs> {
  const { shas, head } = await lsRemote(remote, ['HEAD', 'refs/heads/*', 'refs/tags/*'], signal)
  const refs = new Map<string, string>()
  for (const [name, sha] of shas) {
    if (!/^refs\/(?:heads|tags)\//.test(name)) continue
    const peeled = name.endsWith('^{}')
    const plain = peeled ? name.slice(0, -3) : name
    if (peeled || !refs.has(plain)) refs.set(plain, sha)
  }
  return head === undefined ? { refs } : { refs, defaultRef: head }
}

/**
 * The commit that a branch, a tag or a full ref name stands for now; a branch wins over a tag of the same name.
 * @throws GitError `notFound`
 */
export async function resolveRef(remote: CheckedRemote, ref: string, signal?: AbortSignal): Promise<string> {
  if (!/^[^\p{Cc} ~^:?*[-][^\p{Cc} ~^:?*[\\]*$/u.test(ref))
    throw new GitError('invalid', `not a ref: ${JSON.stringify(ref.slice(0, 200))}`)
  const full = ref.startsWith('refs/')
  const names = full ? [ref, `${ref}^{}`] : [`refs/heads/${ref}`, `refs/tags/${ref}^{}`, `refs/tags/${ref}`]
  const { shas } = await lsRemote(remote, names, signal)
  const found = (full ? names.toReversed() : names).map(name => shas.get(name)).find(sha => sha !== undefined)
  if (found === undefined) throw new GitError('notFound', `the remote has no ${ref}`)
  return found
}

async function lsRemote(remote: CheckedRemote, patterns: string[], signal: AbortSignal | undefined) {
  const args = ['ls-remote', '--symref', '--', remote.url, ...patterns]
  const output = await runGit(args, { remote, signal })
  const shas = new Map<string, string>()
  let head: string | undefined
  for (const text of output.toString('utf8').split('\n')) {
    if (text === '') continue
    const { target, sha, name } = line.exec(text)?.groups ?? {}
    if (name === undefined) throw new GitError('malformed', `git ls-remote said ${JSON.stringify(text.slice(0, 200))}`)
    if (sha !== undefined) shas.set(name, sha)
    else if (name === 'HEAD') head = target
  }
  return { shas, head }
}
