import { ForgeError } from '../errors.ts'
import type { ForgeComment, ForgeUser, StickyComment } from '../forge.ts'
import type { GitHubRepository } from './context.ts'
import { readPages } from './pages.ts'
import { Comment, Comments } from './schemas.ts'

/** Pages of 100 comments that are searched for ours. */
const maxPages = 100
/** GitHub's limit for a comment's text, in characters. */
const maxBody = 65_536

type Written = ForgeComment & { action: 'created' | 'updated' | 'unchanged' }

/** Ours begin with their marker; further down it may be quoted, in the words of a branch's author. */
function isMarked({ body }: Comment, marker: string): boolean {
  return (body ?? '').trimStart().startsWith(marker)
}

/** The oldest comment by `me` that begins with the marker; others may write the marker as they like. @throws ForgeError */
export async function findComment(
  { client, owner, repo }: GitHubRepository,
  number: number,
  marker: string,
  me: ForgeUser,
  signal?: AbortSignal,
): Promise<ForgeComment | undefined> {
  const isOurs = (comment: Comment) => comment.user?.id === me.id && isMarked(comment, marker)
  const pages = await readPages(client, '/repos/{owner}/{repo}/issues/{issue_number}/comments', {
    parameters: { owner, repo, issue_number: number },
    schema: Comments,
    keyOf: comment => comment.id,
    maxPages,
    keep: false,
    enough: comments => comments.some(isOurs),
    signal,
  })
  const ours = pages.items.find(isOurs)
  if (ours) return toForgeComment(ours)
  if (pages.incompleteReason === undefined) return undefined
  throw new ForgeError('malformed', `comments of pull request ${number}: ${pages.incompleteReason}`)
}

/** Creates the comment or updates it in place. @throws ForgeError */
export async function writeComment(
  repository: GitHubRepository,
  comment: StickyComment,
  me: ForgeUser,
  signal?: AbortSignal,
): Promise<Written> {
  const { pullRequest: number, marker, body, id } = comment
  if (!body.startsWith(marker)) throw new ForgeError('invalid', 'the comment does not begin with its marker')
  if (body.length > maxBody)
    throw new ForgeError('invalid', `a comment has at most ${maxBody} characters, not ${body.length}`)
  const { client, owner, repo } = repository
  const known = id === undefined ? undefined : await readOwnComment(repository, id, comment, me, signal)
  const present = known ?? (await findComment(repository, number, marker, me, signal))
  if (present === undefined) {
    const route = '/repos/{owner}/{repo}/issues/{issue_number}/comments'
    const created = await client.write('POST', route, { owner, repo, issue_number: number, body }, Comment, signal)
    return { ...toForgeComment(created), action: 'created' }
  }
  if (sameText(present.body, body)) return { ...present, action: 'unchanged' }
  const route = '/repos/{owner}/{repo}/issues/comments/{comment_id}'
  const updated = await client.write('PATCH', route, { owner, repo, comment_id: present.id, body }, Comment, signal)
  return { ...toForgeComment(updated), action: 'updated' }
}

/** The comment with this id, if it still exists and is ours, with our marker, on this pull request. */
async function readOwnComment(
  { client, owner, repo }: GitHubRepository,
  id: number,
  { pullRequest, marker }: StickyComment,
  me: ForgeUser,
  signal?: AbortSignal,
): Promise<ForgeComment | undefined> {
  const route = '/repos/{owner}/{repo}/issues/comments/{comment_id}'
  const answer = await client.read(route, { owner, repo, comment_id: id }, Comment, signal).catch(error => {
    if (error instanceof ForgeError && error.kind === 'notFound') return undefined
    throw error
  })
  const comment = answer?.data
  const ours =
    comment?.user?.id === me.id && comment.issue_url.endsWith(`/issues/${pullRequest}`) && isMarked(comment, marker)
  return comment && ours ? toForgeComment(comment) : undefined
}

function toForgeComment(comment: Comment): ForgeComment {
  return { id: comment.id, body: comment.body ?? '', url: comment.html_url }
}

/** GitHub may change line ends and what follows the last line. */
function sameText(left: string, right: string): boolean {
  const normal = (text: string) => text.replaceAll('\r\n', '\n').trimEnd()
  return normal(left) === normal(right)
}
