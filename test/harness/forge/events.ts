import type { Deliveries, Hook } from './deliveries.ts'
import type { Comment, PullRequest } from './model.ts'
import { commentShape, type Place, pullShape, repositoryShape, userShape } from './shapes.ts'

/** The commit id that stands for "none". */
export const zeroSha = '0'.repeat(40)

/** Builds the webhook payloads of one repository and hands them to the deliveries. */
export class Events {
  readonly #place: Place
  readonly #hooks: readonly Hook[]
  readonly #deliveries: Deliveries

  constructor(place: Place, hooks: readonly Hook[], deliveries: Deliveries) {
    this.#place = place
    this.#hooks = hooks
    this.#deliveries = deliveries
  }

  pullRequest(
    action: string,
    pull: PullRequest,
    baseSha: string | undefined,
    more: Record<string, unknown> = {},
  ): void {
    const shape = pullShape(this.#place, pull, baseSha ?? zeroSha)
    this.#emit('pull_request', pull.author, { action, number: pull.number, pull_request: shape, ...more })
  }

  /** A branch came (`before` undefined), moved, or went (`after` undefined). */
  branch(name: string, before: string | undefined, after: string | undefined): void {
    if (before === undefined) this.#emit('create', 'jane', { ref: name, ref_type: 'branch' })
    if (after === undefined) this.#emit('delete', 'jane', { ref: name, ref_type: 'branch' })
    this.#emit('push', 'jane', {
      ref: `refs/heads/${name}`,
      before: before ?? zeroSha,
      after: after ?? zeroSha,
      created: before === undefined,
      deleted: after === undefined,
      forced: false,
      commits: [],
    })
  }

  comment(action: string, comment: Comment): void {
    const issue = { number: comment.pullRequest, pull_request: {} }
    this.#emit('issue_comment', comment.author, { action, issue, comment: commentShape(this.#place, comment) })
  }

  ping(): void {
    this.#emit('ping', 'jane', { zen: 'Keep it logically awesome.', hook_id: 1 })
  }

  #emit(event: string, sender: string, payload: Record<string, unknown>): void {
    const context = { repository: repositoryShape(this.#place), sender: userShape(this.#place.origin, sender) }
    const hooks = [...this.#hooks, ...this.#deliveries.appHooks(this.#place.fullName, event)]
    this.#deliveries.emit(hooks, event, { ...payload, ...context })
  }
}
