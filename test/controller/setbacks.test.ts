import { describe, expect, test } from 'vitest'
import { Setbacks } from '../../src/controller/setbacks.ts'
import { ForgeError, type ForgeErrorKind } from '../../src/forge/errors.ts'
import { KubeConnectionError, KubeError } from '../../src/kube/errors.ts'
import { TerminalError } from '../../src/util/errors.ts'

const forge = (kind: ForgeErrorKind) => new ForgeError(kind, `the forge said ${kind}`)
const fail = (error: unknown) => () => Promise.reject(error)

describe('setbacks', () => {
  test.each([
    forge('invalid'),
    forge('malformed'),
    forge('notFound'),
    forge('tooLarge'),
    new KubeError(422, 'Invalid', 'metadata.name is too long'),
    new TerminalError('NameTaken', 'the name is taken'),
    new TypeError('a bug'),
  ])('what concerns one change is noted, and the next one has its turn: %s', async error => {
    const setbacks = new Setbacks(new AbortController().signal)
    for (let number = 1; number <= 5; number++) await setbacks.attempt(`pr:${number}`, fail(error))
    expect(await setbacks.attempt('pr:9', () => Promise.resolve('done'))).toBe('done')
    expect([setbacks.has('pr:1'), setbacks.has('pr:9')]).toEqual([true, false])
    expect(setbacks.failure?.message).toContain(`pr:5: ${error.message}`)
  })

  test.each([
    forge('unauthorized'),
    forge('forbidden'),
    forge('rateLimited'),
    forge('moved'),
  ])('what concerns them all ends the listing: %s', async error => {
    const setbacks = new Setbacks(new AbortController().signal)
    await expect(setbacks.attempt('pr:1', fail(error))).rejects.toBe(error)
  })

  test('an API server that cannot be reached ends the listing', async () => {
    const setbacks = new Setbacks(new AbortController().signal)
    const error = new KubeConnectionError('connection refused')
    await expect(setbacks.attempt('pr:1', fail(error))).rejects.toBe(error)
  })

  test.each([
    forge('unavailable'),
    new KubeError(503, 'ServiceUnavailable', 'away'),
  ])('one diff that the forge cannot make is one change’s, three are an outage: %s', async error => {
    const setbacks = new Setbacks(new AbortController().signal)
    await setbacks.attempt('pr:1', fail(error))
    await setbacks.attempt('pr:2', fail(error))
    await expect(setbacks.attempt('pr:3', fail(error))).rejects.toBe(error)
  })

  test('are tried again where that may help, as late as the forge asks', async () => {
    const setbacks = new Setbacks(new AbortController().signal)
    expect(setbacks.failure).toBeUndefined()
    await setbacks.attempt('pr:1', fail(new TerminalError('NameTaken', 'taken')))
    expect(setbacks.failure).toMatchObject({ transient: false, retryAfter: 0 })
    await setbacks.attempt('pr:2', fail(new ForgeError('unavailable', 'away', { retryAfter: 7_000 })))
    expect(setbacks.failure).toMatchObject({ transient: true, retryAfter: 7_000 })
  })

  test('an end that was asked for is none', async () => {
    const stop = new AbortController()
    const setbacks = new Setbacks(stop.signal)
    stop.abort(new Error('stopping'))
    await expect(setbacks.attempt('pr:1', fail(new Error('aborted')))).rejects.toThrow('stopping')
  })
})
