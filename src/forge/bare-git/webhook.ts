import { z } from 'zod'
import { BranchName } from '../../api/change.ts'
import { WebhookRejected } from '../errors.ts'
import type { WebhookEvent, WebhookHeaders } from '../forge.ts'
import { keysOf } from '../repository.ts'
import { parseJsonBody, singleHeader } from '../signature.ts'

const PushEvent = z.object({
  repository: z.string().min(1).max(2048).describe('Clone URL'),
  ref: z.string().min(1).describe('Full name of the ref'),
  after: z.string().describe('Commit it points to now; zeros if it is gone'),
})

/**
 * Reads a verified delivery of a bare Git server, as a `post-receive` hook sends it with curl:
 * `{"repository": "https://git.example.com/shop.git", "ref": "refs/heads/x", "after": "<sha>"}`.
 * @throws WebhookRejected 400 or 415 if it cannot be read.
 */
export function readGitEvent(headers: WebhookHeaders, rawBody: Buffer): WebhookEvent {
  const id = singleHeader(headers, 'x-delivery')
  const delivery = id === undefined ? {} : { delivery: id.slice(0, 64) }
  const parsed = PushEvent.safeParse(parseJsonBody(headers, rawBody))
  if (!parsed.success) throw new WebhookRejected(400, z.prettifyError(parsed.error))
  const { repository, ref } = parsed.data
  if (!ref.startsWith('refs/heads/')) return { kind: 'ignored', reason: 'not about a branch', ...delivery }
  const keys = keysOf([repository])
  if (keys.length === 0) throw new WebhookRejected(400, 'repository: expected a clone URL')
  const branch = BranchName.safeParse(ref.slice('refs/heads/'.length))
  if (!branch.success) throw new WebhookRejected(400, 'ref: expected a branch of at most 1024 characters')
  return { kind: 'change', repository: { keys }, refs: [{ branch: branch.data }], ...delivery }
}
