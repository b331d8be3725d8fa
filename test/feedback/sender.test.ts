import { beforeEach, describe, expect, test } from 'vitest'
import type { ReviewEnvironment } from '../../src/api/index.ts'
import { Budget, maskFor, type SentFeedback, sendFeedback } from '../../src/feedback/index.ts'
import { ForgeError } from '../../src/forge/errors.ts'
import type { CommitStatus, Forge, StickyComment } from '../../src/forge/forge.ts'
import { FakeClock } from '../controller/fake-clock.ts'
import { environmentWith, projectWith, sha } from './builders.ts'

/** Only what feedback uses of a forge; remembers what it was sent. */
class RecordingForge {
  readonly type = 'github'
  readonly capabilities = { pullRequests: true, comments: true, commitStatus: true }
  comments: StickyComment[] = []
  statuses: { sha: string; status: CommitStatus }[] = []
  commentFailure: Error | undefined

  upsertComment(comment: StickyComment) {
    if (this.commentFailure) return Promise.reject(this.commentFailure)
    this.comments.push(comment)
    return Promise.resolve({ id: 7, body: comment.body, action: 'created' as const })
  }

  setCommitStatus(commit: string, status: CommitStatus) {
    this.statuses.push({ sha: commit, status })
    return Promise.resolve()
  }
}

describe('feedback', () => {
  let forge: RecordingForge
  let clock: FakeClock
  let budget: Budget
  let kept: SentFeedback | undefined

  beforeEach(() => {
    forge = new RecordingForge()
    clock = new FakeClock()
    budget = new Budget(clock)
    kept = undefined
  })

  const send = (environment: ReviewEnvironment, options: { gone?: boolean; comment?: boolean } = {}) =>
    sendFeedback(
      {
        environment,
        project: projectWith({ comment: options.comment ?? true }),
        forge: forge as unknown as Forge,
        credential: 'c',
        gone: options.gone ?? false,
        installation: '',
        mask: maskFor(),
        signal: new AbortController().signal,
      },
      budget,
      async sent => {
        kept = sent
      },
    )

  test('sends a comment and a status once; the same facts are not sent again, even after a restart', async () => {
    await send(environmentWith({ state: 'Ready' }))
    expect([forge.comments.length, forge.statuses.length]).toEqual([1, 1])
    expect(forge.statuses[0]?.sha).toBe(sha)
    expect(kept?.commentId).toBe(7)
    if (kept === undefined) throw new Error('nothing was kept')
    await send(environmentWith({ state: 'Ready', feedback: kept }))
    expect([forge.comments.length, forge.statuses.length]).toEqual([1, 1])
    await send(environmentWith({ state: 'Deploying', feedback: kept }))
    expect(forge.comments[1]).toMatchObject({ id: 7, pullRequest: 42 })
  })

  test('a branch gets a status of its own name and no comment', async () => {
    await send(environmentWith({ state: 'Ready' }, 'main'))
    expect(forge.comments).toEqual([])
    expect(forge.statuses[0]?.status.context).toBe('offshoot/offshoot/shop (branch)')
  })

  test('a comment that fails does not keep the status back, and the status is not sent twice for it', async () => {
    forge.commentFailure = new ForgeError('forbidden', 'no')
    await expect(send(environmentWith({ state: 'Ready' }))).rejects.toThrow('no')
    expect(forge.statuses.length).toBe(1)
    expect(kept).toMatchObject({ statusRevision: sha })
    expect(kept).not.toHaveProperty('commentId')
  })

  test('keeps to the limits per minute and per hour, and says when to come back', async () => {
    const waits: (number | undefined)[] = []
    for (let index = 0; index < 41; index++) {
      waits.push((await send(environmentWith({ state: 'Ready', url: `https://${index}.example` }))).again)
    }
    expect(waits.slice(0, 40).every(wait => wait === undefined)).toBe(true)
    expect(waits[40]).toBe(60_000)
    expect(forge.comments.length + forge.statuses.length).toBe(80)
    for (let minute = 0; minute < 20; minute++) {
      await clock.advance(60_000)
      for (let index = 0; index < 50; index++) await send(environmentWith({ state: 'Ready', url: `https://${minute}` }))
    }
    expect(forge.comments.length + forge.statuses.length).toBe(500)
  })

  test('stops sending with a credential as long as the forge asks to', async () => {
    forge.commentFailure = new ForgeError('rateLimited', 'slow down', { retryAfter: 90_000 })
    await expect(send(environmentWith({ state: 'Ready' }))).rejects.toThrow('slow down')
    forge.commentFailure = undefined
    expect((await send(environmentWith({ state: 'Ready' }))).again).toBe(90_000)
    await clock.advance(90_000)
    expect((await send(environmentWith({ state: 'Ready' }))).again).toBeUndefined()
  })

  test('says that an environment is gone only where something was said before', async () => {
    await send(environmentWith({ state: 'Deleting' }), { gone: true })
    expect([forge.comments.length, forge.statuses.length]).toEqual([0, 0])
    const feedback = { commentId: 7, commentDigest: 'x', statusRevision: sha, statusDigest: 'y' }
    await send(environmentWith({ state: 'Deleting', feedback }), { gone: true })
    expect(forge.comments[0]?.body).toContain('is gone')
    expect(forge.statuses[0]?.status.state).toBe('success')
  })

  test('a commit that the forge did not name gets no status, whatever a hand wrote into the spec', async () => {
    const environment = environmentWith({ state: 'Ready' })
    environment.spec.revision = 'b'.repeat(40)
    await send(environment)
    expect(forge.statuses.map(({ sha: commit }) => commit)).toEqual([sha])
    const { change: _, ...unknown } = environment.status ?? {}
    await send({ ...environment, status: unknown })
    expect(forge.statuses).toHaveLength(1)
  })

  test('a project that wants no comment gets none', async () => {
    await send(environmentWith({ state: 'Ready' }), { comment: false })
    expect([forge.comments.length, forge.statuses.length]).toEqual([0, 1])
  })
})
