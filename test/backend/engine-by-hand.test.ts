import { describe, expect, it } from 'vitest'
import { annotations, type ByHand, type ReviewEnvironment } from '../../src/api/index.ts'
import { shas, world } from './engine-world.ts'

function mark(environment: ReviewEnvironment, more: Partial<ByHand> = {}): void {
  const value: ByHand = {
    by: 'alice',
    at: '2026-01-01T00:00:00.123Z',
    revision: shas.first,
    state: 'deploying',
    discriminator: 'by-hand',
    ...more,
  }
  environment.spec.revision = shas.first
  environment.metadata.annotations = { [annotations.byHand]: JSON.stringify(value) }
}

const answered = { phase: 'deploying', reason: 'DeployingByHand' }

describe('somebody deploys by hand', () => {
  it('is answered when what ran has ended and the discriminator is recorded', async () => {
    const { look, job, environment } = world()
    await look()
    const { signal } = await job(0)
    mark(environment)
    const observation = await look()
    expect(observation).toMatchObject(answered)
    expect(observation.message).toContain('alice deploys by hand since 2026-01-01T00:00:00.123Z')
    expect(signal.aborted).toBe(true)
    expect(environment.status?.discriminators).toEqual(['by-hand'])
  })

  it.each([
    ['', 'DiscriminatorEmpty'],
    ['not a label!', 'DiscriminatorInvalid'],
    ['theirs', 'DiscriminatorTaken'],
  ])('is refused the discriminator %j, and told so as the one who asked', async (discriminator, reason) => {
    const { look, environment, others } = world()
    if (discriminator === 'theirs') others.push({ kind: 'ReviewEnvironment', namespace: 'team', name: 'other' })
    mark(environment, { discriminator })
    const observation = await look()
    expect(observation).toMatchObject({ phase: 'stalled', reason })
    expect(observation.message).toMatch(/^alice deploys by hand since 2026-01-01T00:00:00.123Z, which may not be: /)
    expect(environment.status?.discriminators).toBeUndefined()
  })

  it('is not answered for what was done before the mark was there', async () => {
    const { look, job, woken, environment, whileRecording } = world()
    await look()
    const { controls, signal } = await job(0)
    void controls.claim('shop-1').catch(() => undefined)
    await woken(1)
    whileRecording(() => mark(environment))
    expect((await look()).reason).not.toBe('DeployingByHand')
    expect(signal.aborted).toBe(false)
    expect(await look()).toMatchObject(answered)
    expect(signal.aborted).toBe(true)
  })

  it('gets the answer to its own mark, and another who comes in between the answer to theirs', async () => {
    const { look, environment, whileRecording } = world()
    mark(environment)
    whileRecording(() => mark(environment, { by: 'bob', at: '2026-01-01T00:00:01.000Z', discriminator: 'bobs' }))
    expect((await look()).message).toContain('alice deploys by hand')
    expect(environment.status?.discriminators).toEqual(['by-hand'])
    expect((await look()).message).toContain('bob deploys by hand')
    expect(environment.status?.discriminators).toEqual(['by-hand', 'bobs'])
  })
})
