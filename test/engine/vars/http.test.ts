import { expect, test } from 'vitest'
import { allowAll } from '../../../src/engine/host.ts'
import { loadVars } from '../../harness/engine/host.ts'
import { serve } from '../../harness/engine/http-server.ts'

test('YAML and JSON that a server answers with become variables', async () => {
  await using server = await serve(() => 'a: 1\nb: [x]\n')
  const { variables, sensitive } = await loadVars([{ http: { url: `${server.url}/vars` } }])
  expect(variables).toEqual({ a: 1, b: ['x'] })
  expect(sensitive).toEqual([false])
  expect(server.received[0]).toMatchObject({ method: 'GET', path: '/vars', body: '' })
})

test('method, body and headers are sent, and may use the variables so far', async () => {
  await using server = await serve(({ body }) => JSON.stringify({ got: body }))
  const http = {
    url: `${server.url}/`,
    method: 'POST',
    body: '{{ q }}',
    headers: { 'X-Key': '{{ q }}', Authorization: 'Bearer t' },
  }
  const { variables, sensitive } = await loadVars([{ values: { q: 'question' } }, { http }])
  expect(variables).toEqual({ q: 'question', got: 'question' })
  expect(server.received[0]).toMatchObject({
    method: 'POST',
    headers: { 'x-key': 'question', authorization: 'Bearer t' },
  })
  expect(sensitive[1]).toBe(true)
})

test('jsonPath selects a map or a text that holds YAML', async () => {
  await using server = await serve(() => JSON.stringify([{ data: { 'my-vars': { a: 1 }, text: 'b: 2' } }]))
  const load = async (jsonPath: string) => (await loadVars([{ http: { url: server.url, jsonPath } }])).variables
  expect(await load('$[0].data.my-vars')).toEqual({ a: 1 })
  expect(await load('[0].data.text')).toEqual({ b: 2 })
  await expect(load('$[0].nothing')).rejects.toThrow('$[0].nothing not found in result from http request')
  await expect(load('$[?')).rejects.toThrow('invalid json path $[?')
})

test('several documents are a list with multidoc', async () => {
  await using server = await serve(() => '---\na: 1\n---\na: 2\n')
  const { variables } = await loadVars([{ http: { url: server.url }, multidoc: true, targetPath: 'all' }])
  expect(variables).toEqual({ all: [{ a: 1 }, { a: 2 }] })
})

test('404 can be ignored, other failures cannot; 401 says how to authenticate', async () => {
  await using server = await serve(({ path }) => ({ status: Number(path.slice(1)), body: 'a: 1' }))
  const load = (status: number, ignoreMissing: boolean) =>
    loadVars([{ http: { url: `${server.url}/${status}` }, ignoreMissing }])
  await expect(load(404, false)).rejects.toThrow('failed with status code 404')
  expect((await load(404, true)).variables).toEqual({})
  await expect(load(500, true)).rejects.toThrow('failed with status code 500')
  await expect(load(401, true)).rejects.toThrow('give an Authorization header under headers')
})

test('user and password of the URL are sent, never shown', async () => {
  await using server = await serve(({ headers }) =>
    headers.authorization === `Basic ${btoa('me:s3cret')}` ? 'a: 1' : { status: 403 },
  )
  const { host } = new URL(server.url)
  const { variables, sensitive } = await loadVars([{ http: { url: `http://me:s3cret@${host}/` } }])
  expect([variables, sensitive]).toEqual([{ a: 1 }, [true]])
  const failure = await loadVars([{ http: { url: `http://me:wr0ng@${host}/?token=abc` } }]).catch(String)
  expect(failure).toContain('status code 403')
  expect(failure).not.toMatch(/wr0ng|abc/)
})

test('redirects are followed, each judged by the policy; credentials stay at their origin', async () => {
  await using other = await serve(() => 'a: 1')
  await using server = await serve(({ path }) =>
    path === '/loop'
      ? { status: 302, headers: { location: '/loop' } }
      : { status: 307, headers: { location: `${other.url}/x` } },
  )
  const http = { url: server.url, headers: { Authorization: 'Bearer t', Accept: 'text/yaml' } }
  expect((await loadVars([{ http }])).variables).toEqual({ a: 1 })
  expect(other.received[0]?.headers).toMatchObject({ accept: 'text/yaml' })
  expect(other.received[0]?.headers.authorization).toBeUndefined()
  await expect(loadVars([{ http: { url: `${server.url}/loop` } }])).rejects.toThrow('too many redirects')
  const policy = { ...allowAll, allowsUrl: (url: string) => url.startsWith(server.url) }
  await expect(loadVars([{ http }], { policy })).rejects.toThrow(`${other.url}/x is not allowed here`)
  expect(other.received).toHaveLength(1)
})

test('a source or URL that the policy does not allow is refused before anything is sent', async () => {
  await using server = await serve(() => 'a: 1')
  const entry = { http: { url: server.url }, ignoreMissing: true }
  const noSource = { ...allowAll, sources: new Set(['values'] as const) }
  await expect(loadVars([entry], { policy: noSource })).rejects.toThrow('variables from http are not allowed here')
  const noUrl = { ...allowAll, allowsUrl: () => false }
  await expect(loadVars([entry], { policy: noUrl })).rejects.toThrow('are not allowed here')
  expect(server.received).toEqual([])
})

test('an endless answer and an abort end the request', async () => {
  await using server = await serve(({ path }) => (path === '/big' ? 'x'.repeat(17 * 1024 * 1024) : null))
  await expect(loadVars([{ http: { url: `${server.url}/big` } }])).rejects.toThrow(
    'the answer has more than 16777216 bytes',
  )
  const abort = new AbortController()
  const loading = loadVars([{ http: { url: server.url } }], { signal: abort.signal })
  await expect.poll(() => server.received.length).toBe(2)
  abort.abort(new Error('enough'))
  await expect(loading).rejects.toThrow('enough')
})

test('unknown fields and URLs of other kinds are named', async () => {
  await expect(loadVars([{ http: { url: 'http://127.0.0.1:1', verb: 'GET' } }])).rejects.toThrow('verb')
  await expect(loadVars([{ http: { url: 'file:///etc/hostname' } }])).rejects.toThrow(
    'expected a URL with http or https',
  )
})
