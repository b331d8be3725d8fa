import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { receiveWebhook, WebhookRejected } from '../../src/forge/index.ts'
import { deliveryHeaders } from '../harness/forge/deliveries.ts'

const secret = 'a webhook secret'
const repository = {
  full_name: 'Acme/Shop',
  clone_url: 'https://github.com/Acme/Shop.git',
  ssh_url: 'git@github.com:Acme/Shop.git',
  html_url: 'https://github.com/Acme/Shop',
}
const pullRequest = { action: 'opened', number: 7, pull_request: { title: 'x' }, repository }

const deliver = (event: string, payload: unknown, secrets = [secret], signWith = secret) => {
  const body = Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload))
  return receiveWebhook({ type: 'github', headers: deliveryHeaders(event, body, signWith, 'id-1'), body, secrets })
}
const status = (outcome: Promise<unknown>) =>
  outcome.then(
    () => 202,
    error => {
      expect(error).toBeInstanceOf(WebhookRejected)
      return (error as WebhookRejected).status
    },
  )

describe('attacks', () => {
  const body = Buffer.from(JSON.stringify(pullRequest))
  const good = deliveryHeaders('pull_request', body, secret)
  const withHeaders = (headers: Record<string, string | string[] | undefined>, secrets = [secret], bytes = body) =>
    status(receiveWebhook({ type: 'github', headers: { ...good, ...headers }, body: bytes, secrets }))
  const hex = good['x-hub-signature-256']?.slice('sha256='.length) ?? ''

  test.each([
    ['another secret', { 'x-hub-signature-256': deliveryHeaders('x', body, 'other')['x-hub-signature-256'] }],
    ['no signature', { 'x-hub-signature-256': undefined }],
    ['an empty signature', { 'x-hub-signature-256': '' }],
    ['only the prefix', { 'x-hub-signature-256': 'sha256=' }],
    ['a cut signature', { 'x-hub-signature-256': `sha256=${hex.slice(0, -2)}` }],
    ['a longer signature', { 'x-hub-signature-256': `sha256=${hex}00` }],
    ['letters that are not hex', { 'x-hub-signature-256': `sha256=${'z'.repeat(64)}` }],
    ['two signatures, one of them right', { 'x-hub-signature-256': [good['x-hub-signature-256'] ?? '', 'sha256=00'] }],
    ['two signatures joined', { 'x-hub-signature-256': `${good['x-hub-signature-256']}, sha256=${hex}` }],
    [
      'the old SHA-1 header alone',
      {
        'x-hub-signature-256': undefined,
        'x-hub-signature': `sha1=${createHmac('sha1', secret).update(body).digest('hex')}`,
      },
    ],
    [
      'SHA-1 in the new header',
      { 'x-hub-signature-256': `sha1=${createHmac('sha1', secret).update(body).digest('hex')}` },
    ],
  ])('%s is refused', async (_, headers) => {
    expect(await withHeaders(headers)).toBe(401)
  })

  test('no secrets, or an empty one, believe nothing', async () => {
    expect(await withHeaders({}, [])).toBe(401)
    const empty = deliveryHeaders('pull_request', body, '')
    expect(await withHeaders(empty, [''])).toBe(401)
    expect(await withHeaders(empty, ['', secret])).toBe(401)
  })

  test('the same JSON in other bytes is refused', async () => {
    expect(await withHeaders({}, [secret], Buffer.from(JSON.stringify(pullRequest, null, 1)))).toBe(401)
  })

  test('bytes that are not UTF-8 are not mistaken for their replacement', async () => {
    const bytes = Buffer.concat([Buffer.from('{"number":1,"x":"'), Buffer.from([0xff]), Buffer.from('"}')])
    expect(await withHeaders(deliveryHeaders('pull_request', bytes, secret), [secret], bytes)).toBe(400)
    const signedReplacement = deliveryHeaders('pull_request', bytes.toString('utf8'), secret)
    expect(await withHeaders(signedReplacement, [secret], bytes)).toBe(401)
  })

  test('an unbelieved body is not even parsed', async () => {
    expect(await status(deliver('pull_request', 'not json', [secret], 'other'))).toBe(401)
  })

  test('names of JavaScript are no events', async () => {
    for (const name of ['constructor', '__proto__', 'tostring']) {
      expect(await deliver(name, pullRequest)).toMatchObject({ kind: 'ignored' })
    }
    expect(await status(deliver('push, pull_request', pullRequest))).toBe(400)
  })

  test('a flipped bit anywhere is refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(body.length * 8 - 1), async bit => {
        const bytes = Buffer.from(body)
        bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
        expect(await withHeaders({}, [secret], bytes)).toBe(401)
      }),
    )
  })
})

describe('what cannot be read', () => {
  test.each([
    ['bad JSON', '{"number": 7'],
    ['an empty body', ''],
    ['an array', '[]'],
    ['null', 'null'],
    ['a string', '"x"'],
    ['no number', { repository }],
    ['a number as text', { ...pullRequest, number: '7' }],
    ['number zero', { ...pullRequest, number: 0 }],
    ['no repository', { number: 7 }],
    ['a repository without URLs', { number: 7, repository: {} }],
    ['a repository with a URL that is none', { number: 7, repository: { clone_url: 'ext::sh -c id' } }],
  ])('%s', async (_, payload) => {
    expect(await status(deliver('pull_request', payload))).toBe(400)
  })

  test('another content type', async () => {
    const body = Buffer.from('payload=%7B%7D')
    const headers = { ...deliveryHeaders('push', body, secret), 'content-type': 'application/x-www-form-urlencoded' }
    expect(await status(receiveWebhook({ type: 'github', headers, body, secrets: [secret] }))).toBe(415)
  })

  test('no event name', async () => {
    const body = Buffer.from(JSON.stringify(pullRequest))
    const headers = { ...deliveryHeaders('push', body, secret), 'x-github-event': undefined }
    expect(await status(receiveWebhook({ type: 'github', headers, body, secrets: [secret] }))).toBe(400)
  })
})

describe('rotation', () => {
  test('old and new secret both count, in any place', async () => {
    for (const secrets of [
      [secret, 'new'],
      ['new', secret],
    ]) {
      expect(await deliver('pull_request', pullRequest, secrets)).toMatchObject({ kind: 'change' })
      expect(await deliver('pull_request', pullRequest, secrets, 'new')).toMatchObject({ kind: 'change' })
    }
    expect(await status(deliver('pull_request', pullRequest, ['new']))).toBe(401)
  })
})

describe('github', () => {
  const keys = ['github.com/acme/shop']
  test.each([
    ['pull_request', pullRequest, [{ pullRequest: 7 }]],
    ['push', { ref: 'refs/heads/feature/x', after: 'a'.repeat(40), repository }, [{ branch: 'feature/x' }]],
    ['create', { ref: 'feature/x', ref_type: 'branch', repository }, [{ branch: 'feature/x' }]],
    ['delete', { ref: 'feature/x', ref_type: 'branch', repository }, [{ branch: 'feature/x' }]],
  ])('%s names its change', async (event, payload, refs) => {
    expect(await deliver(event, payload)).toEqual({ kind: 'change', repository: { keys }, refs, delivery: 'id-1' })
  })

  test.each([
    ['push', { ref: 'refs/tags/v1', repository }],
    ['delete', { ref: 'v1', ref_type: 'tag', repository }],
    ['star', { action: 'created', repository }],
  ])('%s that is about no change is ignored', async (event, payload) => {
    expect(await deliver(event, payload)).toMatchObject({ kind: 'ignored' })
  })

  test('ping is answered', async () => {
    expect(await deliver('ping', { zen: 'x', hook_id: 1 })).toEqual({ kind: 'ping', delivery: 'id-1' })
  })
})

describe('git', () => {
  const deliverGit = (payload: unknown) => {
    const body = Buffer.from(JSON.stringify(payload))
    return receiveWebhook({ type: 'git', headers: deliveryHeaders('', body, secret), body, secrets: [secret] })
  }
  test('a push names its branch', async () => {
    const payload = {
      repository: 'ssh://git@git.example.com:2222/team/shop.git',
      ref: 'refs/heads/x',
      after: 'a'.repeat(40),
    }
    expect(await deliverGit(payload)).toEqual({
      kind: 'change',
      repository: { keys: ['git.example.com/team/shop'] },
      refs: [{ branch: 'x' }],
    })
  })
  test('a tag is ignored, and what lacks a field refused', async () => {
    const payload = { repository: 'https://git.example.com/shop', ref: 'refs/tags/x', after: '' }
    expect(await deliverGit(payload)).toMatchObject({ kind: 'ignored' })
    expect(await status(deliverGit({ repository: 'https://git.example.com/shop', after: '' }))).toBe(400)
    expect(await status(deliverGit({ ...payload, repository: '--upload-pack=x', ref: 'refs/heads/x' }))).toBe(400)
  })
})
