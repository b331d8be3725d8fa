import { z } from 'zod'
import { type Answer, problem } from './answer.ts'
import type { PullRequest } from './model.ts'
import type { FakeRepository } from './repository.ts'
import { branchShape, commentShape, pullShape, repositoryShape, statusShape } from './shapes.ts'

/** One request to a repository's part of the API. */
export interface Call {
  repository: FakeRepository
  /** Decoded parts of the path that the route's pattern names. */
  parts: Record<string, string>
  query: URLSearchParams
  /** Parsed JSON body, undefined if there was none. */
  body: unknown
  /** Login of the account, undefined without a credential. */
  user: string | undefined
}

type Handler = (call: Call) => Answer | Promise<Answer>

const NewPull = z.object({
  title: z.string().min(1),
  head: z.string().min(1),
  base: z.string().min(1),
  body: z.string().nullish(),
  draft: z.boolean().optional(),
})
const PullPatch = z.object({
  title: z.string().optional(),
  base: z.string().optional(),
  state: z.enum(['open', 'closed']).optional(),
})
const CommentBody = z.object({ body: z.string().min(1).max(65_536) })
const LabelNames = z.union([z.array(z.string()), z.object({ labels: z.array(z.string()) }).transform(it => it.labels)])
const NewStatus = z.object({
  state: z.enum(['error', 'failure', 'pending', 'success']),
  target_url: z.string().nullish(),
  description: z.string().max(140).nullish(),
  context: z.string().default('default'),
})

const notFound = () => problem(404, 'Not Found')

/** Routes below `/repos/{owner}/{repo}`; writes need an account. */
export const routes: { method: string; pattern: string; handle: Handler }[] = [
  {
    method: 'GET',
    pattern: '',
    handle: ({ repository }) => ({ status: 200, body: repositoryShape(repository.place) }),
  },
  { method: 'GET', pattern: '/pulls', handle: listPulls },
  { method: 'POST', pattern: '/pulls', handle: createPull },
  { method: 'GET', pattern: '/pulls/{number}', handle: call => onPull(call, showPull) },
  { method: 'PATCH', pattern: '/pulls/{number}', handle: call => onPull(call, patchPull) },
  { method: 'PUT', pattern: '/pulls/{number}/merge', handle: call => onPull(call, mergePull) },
  { method: 'GET', pattern: '/pulls/{number}/files', handle: call => onPull(call, listFiles) },
  { method: 'GET', pattern: '/branches', handle: listBranches },
  { method: 'GET', pattern: '/branches/{branch}', handle: showBranch },
  { method: 'GET', pattern: '/git/matching-refs/{ref}', handle: matchingRefs },
  { method: 'GET', pattern: '/git/commits/{sha}', handle: showCommit },
  { method: 'GET', pattern: '/contents/{path}', handle: showContents },
  { method: 'GET', pattern: '/issues/{number}/comments', handle: call => onPull(call, listComments) },
  { method: 'POST', pattern: '/issues/{number}/comments', handle: call => onPull(call, createComment) },
  { method: 'GET', pattern: '/issues/comments/{id}', handle: showComment },
  { method: 'PATCH', pattern: '/issues/comments/{id}', handle: patchComment },
  { method: 'DELETE', pattern: '/issues/comments/{id}', handle: deleteComment },
  { method: 'POST', pattern: '/issues/{number}/labels', handle: call => onPull(call, addLabels) },
  { method: 'DELETE', pattern: '/issues/{number}/labels/{name}', handle: call => onPull(call, removeLabel) },
  { method: 'POST', pattern: '/statuses/{sha}', handle: createStatus },
  { method: 'GET', pattern: '/commits/{sha}/statuses', handle: listStatuses },
]

function parse<T>(schema: z.ZodType<T>, body: unknown): { value: T } | { refused: Answer } {
  const result = schema.safeParse(body)
  if (result.success) return { value: result.data }
  return { refused: { status: 422, body: { message: 'Validation Failed', errors: result.error.issues } } }
}

function onPull(
  call: Call,
  handle: (call: Call, number: number) => Answer | Promise<Answer>,
): Answer | Promise<Answer> {
  const number = Number(call.parts.number)
  return call.repository.pulls.has(number) ? handle(call, number) : notFound()
}

function shapeOf(repository: FakeRepository, number: number) {
  const pull = repository.pull(number)
  return pullShape(repository.place, pull, repository.branches.get(pull.base) ?? pull.sha)
}

function listPulls({ repository, query }: Call): Answer {
  const state = query.get('state') ?? 'open'
  const [, headBranch] = (query.get('head') ?? '').split(':')
  const pulls = [...repository.pulls.values()]
    .filter(pull => state === 'all' || pull.state === state)
    .filter(pull => headBranch === undefined || pull.branch === headBranch)
    .sort((a, b) => a.number - b.number)
  if ((query.get('direction') ?? 'desc') === 'desc') pulls.reverse()
  return { status: 200, list: pulls, shape: (pull: PullRequest) => shapeOf(repository, pull.number) }
}

async function createPull({ repository, body, user }: Call): Promise<Answer> {
  const parsed = parse(NewPull, body)
  if ('refused' in parsed) return parsed.refused
  const { title, head, base, draft } = parsed.value
  const branch = head.slice(head.indexOf(':') + 1)
  if (!repository.branches.has(branch) || !repository.branches.has(base)) return problem(422, 'Validation Failed')
  const text = parsed.value.body ?? ''
  const options = { title, branch, base, draft: draft ?? false, body: text, author: user ?? 'ghost' }
  const pull = await repository.openForBranch(options)
  return { status: 201, body: shapeOf(repository, pull.number) }
}

function showPull({ repository }: Call, number: number): Answer {
  return { status: 200, body: shapeOf(repository, number) }
}

async function patchPull({ repository, body }: Call, number: number): Promise<Answer> {
  const parsed = parse(PullPatch, body)
  if ('refused' in parsed) return parsed.refused
  const { title, base, state } = parsed.value
  const pull = repository.pull(number)
  if (title !== undefined) await repository.retitle(number, title)
  if (base !== undefined) await repository.retarget(number, base)
  if (state === 'closed' && pull.state === 'open') await repository.close(number)
  if (state === 'open' && pull.state === 'closed') await repository.reopen(number)
  return { status: 200, body: shapeOf(repository, number) }
}

async function mergePull({ repository }: Call, number: number): Promise<Answer> {
  if (repository.pull(number).state === 'closed') return problem(405, 'Pull Request is not mergeable')
  await repository.merge(number)
  return { status: 200, body: { merged: true, message: 'Pull Request successfully merged' } }
}

async function listFiles({ repository }: Call, number: number): Promise<Answer> {
  const pull = repository.pull(number)
  const files = await repository.git.changedFiles(repository.branches.get(pull.base) ?? pull.base, pull.sha)
  const more = { sha: pull.sha, additions: 1, deletions: 0, changes: 1, patch: '@@ -0,0 +1 @@' }
  return { status: 200, list: files.slice(0, 3000).map(file => ({ ...file, ...more })) }
}

function listBranches({ repository }: Call): Answer {
  const branches = [...repository.branches].sort(([a], [b]) => (a < b ? -1 : 1))
  return {
    status: 200,
    list: branches,
    shape: ([name, sha]: [string, string]) => branchShape(repository.place, name, sha),
  }
}

function showBranch({ repository, parts }: Call): Answer {
  const name = parts.branch ?? ''
  const sha = repository.branches.get(name)
  return sha === undefined
    ? problem(404, 'Branch not found')
    : { status: 200, body: branchShape(repository.place, name, sha) }
}

function matchingRefs({ repository, parts }: Call): Answer {
  const refs = [...repository.branches].map(([name, sha]) => ({
    ref: `refs/heads/${name}`,
    object: { type: 'commit', sha },
  }))
  const matching = refs.filter(({ ref }) => ref.startsWith(`refs/${parts.ref}`))
  return { status: 200, body: matching.sort((a, b) => (a.ref < b.ref ? -1 : 1)) }
}

async function showCommit({ repository, parts }: Call): Promise<Answer> {
  const sha = parts.sha ?? ''
  return /^[0-9a-f]{40}$/.test(sha) && (await repository.git.hasCommit(sha))
    ? { status: 200, body: { sha } }
    : notFound()
}

async function showContents({ repository, parts, query }: Call): Promise<Answer> {
  const ref = query.get('ref') ?? repository.place.defaultBranch
  const path = parts.path ?? ''
  const object = await repository.git.object(ref, path)
  if (object === undefined) return notFound()
  const common = { name: path.split('/').at(-1), path, size: object.content.length }
  if (object.type === 'tree') return { status: 200, body: [{ ...common, type: 'dir' }] }
  const large = object.content.length > 1024 * 1024
  const content = large ? '' : object.content.toString('base64').replaceAll(/(.{60})/g, '$1\n')
  return { status: 200, body: { ...common, type: 'file', encoding: large ? 'none' : 'base64', content } }
}

function listComments({ repository }: Call, number: number): Answer {
  return { status: 200, list: repository.commentsOf(number).map(it => commentShape(repository.place, it)) }
}

function createComment({ repository, body, user }: Call, number: number): Answer {
  const parsed = parse(CommentBody, body)
  if ('refused' in parsed) return parsed.refused
  const comment = repository.comment(number, user ?? 'ghost', parsed.value.body)
  return { status: 201, body: commentShape(repository.place, comment) }
}

function showComment({ repository, parts }: Call): Answer {
  const comment = repository.comments.get(Number(parts.id))
  return comment ? { status: 200, body: commentShape(repository.place, comment) } : notFound()
}

function patchComment({ repository, parts, body }: Call): Answer {
  const comment = repository.comments.get(Number(parts.id))
  if (!comment) return notFound()
  const parsed = parse(CommentBody, body)
  if ('refused' in parsed) return parsed.refused
  comment.history.push(comment.body)
  Object.assign(comment, { body: parsed.value.body, updatedAt: repository.timestamp() })
  repository.events.comment('edited', comment)
  return { status: 200, body: commentShape(repository.place, comment) }
}

function deleteComment({ repository, parts }: Call): Answer {
  return repository.comments.delete(Number(parts.id)) ? { status: 204 } : notFound()
}

async function addLabels({ repository, body }: Call, number: number): Promise<Answer> {
  const parsed = parse(LabelNames, body)
  if ('refused' in parsed) return parsed.refused
  await repository.label(number, ...parsed.value)
  return { status: 200, body: shapeOf(repository, number).labels }
}

async function removeLabel({ repository, parts }: Call, number: number): Promise<Answer> {
  const name = parts.name ?? ''
  if (!repository.pull(number).labels.includes(name)) return problem(404, 'Label does not exist')
  await repository.unlabel(number, name)
  return { status: 200, body: shapeOf(repository, number).labels }
}

async function createStatus({ repository, parts, body, user }: Call): Promise<Answer> {
  const parsed = parse(NewStatus, body)
  if ('refused' in parsed) return parsed.refused
  const sha = parts.sha ?? ''
  if (!(await repository.git.hasCommit(sha))) return problem(422, `No commit found for SHA: ${sha}`)
  const { state, context, description, target_url: target } = parsed.value
  const status = { sha, state, context, description: description ?? '', author: user ?? 'ghost' }
  const complete = { ...status, ...(target ? { targetUrl: target } : {}), createdAt: repository.timestamp() }
  repository.statuses.push(complete)
  return { status: 201, body: statusShape(repository.place, complete) }
}

function listStatuses({ repository, parts }: Call): Answer {
  const statuses = repository.statuses.filter(status => status.sha === parts.sha).reverse()
  return { status: 200, list: statuses.map(status => statusShape(repository.place, status)) }
}
