import { ForgeError } from '../errors.ts'
import type { GitHubRepository } from './context.ts'
import { readPages } from './pages.ts'
import { ChangedFiles, Commit, Content } from './schemas.ts'

/** GitHub lists no more files of a pull request than these. */
const maxFiles = 3000

/** Paths a pull request touches, both names of a renamed file; `tooMany` where GitHub may have cut the list. @throws ForgeError */
export async function listChangedPaths(
  { client, owner, repo }: GitHubRepository,
  number: number,
  signal?: AbortSignal,
): Promise<string[] | 'tooMany'> {
  const pages = await readPages(client, '/repos/{owner}/{repo}/pulls/{pull_number}/files', {
    parameters: { owner, repo, pull_number: number },
    schema: ChangedFiles,
    keyOf: file => file.filename,
    maxPages: maxFiles / 100,
    keep: false,
    signal,
  })
  if (pages.items.length >= maxFiles) return 'tooMany'
  if (pages.incompleteReason !== undefined) {
    throw new ForgeError('malformed', `files of pull request ${number}: ${pages.incompleteReason}`)
  }
  return pages.items.flatMap(file => [file.filename, ...(file.previous_filename ? [file.previous_filename] : [])])
}

/**
 * Text of a file at a commit. Undefined only if the commit itself can be read: else the 404 may mean anything.
 * @throws ForgeError `tooLarge`, `invalid` for what is no file or no UTF-8, and others
 */
export async function readFileAt(
  { client, owner, repo }: GitHubRepository,
  sha: string,
  path: string,
  maxBytes: number,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const parts = path.split('/')
  if (parts.some(part => part === '' || part === '.' || part === '..') || !/^[0-9a-f]{40,64}$/.test(sha)) {
    throw new ForgeError('invalid', `${JSON.stringify(path)} at ${JSON.stringify(sha)} is not a file at a commit`)
  }
  const route = '/repos/{owner}/{repo}/contents/{path}'
  const content = await client
    .read(route, { owner, repo, path, ref: sha }, Content, signal, { keep: false })
    .catch(async error => {
      if (!(error instanceof ForgeError) || error.kind !== 'notFound') throw error
      await client.read('/repos/{owner}/{repo}/git/commits/{sha}', { owner, repo, sha }, Commit, signal)
      return undefined
    })
  return content === undefined ? undefined : textOf(content.data, path, maxBytes)
}

type FileContent = { type: string; encoding?: string; size?: number; content?: string }

function textOf(file: FileContent, path: string, maxBytes: number): string {
  if (file.type !== 'file' || file.content === undefined) throw new ForgeError('invalid', `${path} is not a file`)
  const bytes = Buffer.from(file.content, 'base64')
  if ((file.size ?? 0) > maxBytes || bytes.length > maxBytes) {
    throw new ForgeError('tooLarge', `${path} is larger than ${maxBytes} bytes`)
  }
  if (file.encoding !== 'base64' || bytes.length !== file.size) {
    throw new ForgeError('malformed', `${path}: expected ${file.size} bytes in base64`)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw new ForgeError('invalid', `${path} is not UTF-8 text`, { cause: error })
  }
}
