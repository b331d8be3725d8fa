import { z } from 'zod'
import { BranchName, type ChangeIdentity, PullRequestNumber } from '../../api/change.ts'
import { WebhookRejected } from '../errors.ts'
import type { WebhookEvent, WebhookHeaders } from '../forge.ts'
import { keysOf } from '../repository.ts'
import { parseJsonBody, singleHeader } from '../signature.ts'

const Repository = z.object({
  clone_url: z.string().optional(),
  ssh_url: z.string().optional(),
  html_url: z.string().optional(),
})
const PullRequestEvent = z.object({ number: PullRequestNumber, repository: Repository })
const RefEvent = z.object({ ref: z.string().min(1), repository: Repository })
const BranchEvent = z.object({ ref: BranchName, ref_type: z.string(), repository: Repository })

type Found = { refs: ChangeIdentity[]; repository: z.infer<typeof Repository> } | { ignored: string }

const readers: Record<string, (body: Record<string, unknown>) => Found> = {
  pull_request: body => {
    const { number, repository } = read(PullRequestEvent, body)
    return { refs: [{ pullRequest: number }], repository }
  },
  push: body => {
    const { ref, repository } = read(RefEvent, body)
    if (!ref.startsWith('refs/heads/')) return { ignored: 'a push to something other than a branch' }
    return { refs: [{ branch: read(BranchName, ref.slice('refs/heads/'.length)) }], repository }
  },
  create: readBranchEvent,
  delete: readBranchEvent,
}

/** Events that are acted on; all others are answered 202 and dropped. */
export const actedOn: readonly string[] = Object.keys(readers)

/**
 * Reads a verified delivery of GitHub: which changes it is about. Of the body only the keys are taken.
 * Source: GitHub, "Webhook events and payloads".
 * @throws WebhookRejected 400 or 415 if it cannot be read.
 */
export function readGitHubEvent(headers: WebhookHeaders, rawBody: Buffer): WebhookEvent {
  const name = singleHeader(headers, 'x-github-event')
  // Node joins a repeated header with a comma, which is no event's name.
  if (name === undefined || !/^[a-z_]{1,64}$/.test(name)) {
    throw new WebhookRejected(400, 'expected exactly one X-GitHub-Event header')
  }
  const id = singleHeader(headers, 'x-github-delivery')
  const delivery = id === undefined ? {} : { delivery: id.slice(0, 64) }
  const body = parseJsonBody(headers, rawBody)
  if (name === 'ping') return { kind: 'ping', ...delivery }
  const reader = Object.hasOwn(readers, name) ? readers[name] : undefined
  const found = reader ? reader(body) : { ignored: 'an event that Offshoot does not act on' }
  if ('ignored' in found) return { kind: 'ignored', reason: found.ignored, ...delivery }
  const { clone_url: clone, ssh_url: ssh, html_url: html } = found.repository
  const keys = keysOf([clone, ssh, html])
  if (keys.length === 0) throw new WebhookRejected(400, 'repository: expected clone_url, ssh_url or html_url')
  return { kind: 'change', repository: { keys }, refs: found.refs, ...delivery }
}

function readBranchEvent(body: Record<string, unknown>): Found {
  const { ref, ref_type: type, repository } = read(BranchEvent, body)
  return type === 'branch' ? { refs: [{ branch: ref }], repository } : { ignored: 'not about a branch' }
}

function read<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body)
  if (result.success) return result.data
  throw new WebhookRejected(400, z.prettifyError(result.error))
}
