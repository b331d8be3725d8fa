import { expect, test } from 'vitest'
import { allowAll } from '../../../src/engine/host.ts'
import { loadVars } from '../../harness/engine/host.ts'
import { serve } from '../../harness/engine/http-server.ts'

const json = (value: unknown, status = 200) => ({ status, body: JSON.stringify(value) })
const environment = { VAULT_TOKEN: 't0ken', VAULT_NAMESPACE: 'team' }

test('secrets of both KV versions become variables, templates in them rendered', async () => {
  await using server = await serve(({ path }) =>
    path.includes('/data/')
      ? json({ data: { data: { a: '{{ x }}', n: 1 }, metadata: { version: 2 } } })
      : json({ data: { b: 'two' } }),
  )
  const address = server.url
  const entries = [
    { values: { x: 'X' } },
    { vault: { address, path: 'secret/data/one' } },
    { vault: { address, path: 'kv/two' } },
  ]
  const { variables, sensitive } = await loadVars(entries, { environment })
  expect(variables).toEqual({ x: 'X', a: 'X', n: 1, b: 'two' })
  expect(sensitive).toEqual([false, true, true])
  expect(server.received[0]).toMatchObject({
    path: '/v1/secret/data/one',
    headers: { 'x-vault-token': 't0ken', 'x-vault-namespace': 'team' },
  })
})

test('absent and deleted secrets are missing; refusals are errors in words of Vault', async () => {
  await using server = await serve(({ path }) => {
    if (path.endsWith('deleted')) return json({ data: { data: null, metadata: { deletion_time: 'x' } } }, 404)
    return path.endsWith('absent') ? json({ errors: [] }, 404) : json({ errors: ['permission denied'] }, 403)
  })
  const load = (path: string, ignoreMissing: boolean) =>
    loadVars([{ vault: { address: server.url, path }, ignoreMissing }], { environment: {} })
  for (const path of ['secret/data/absent', 'secret/data/deleted']) {
    await expect(load(path, false)).rejects.toThrow('the specified vault secret was not found')
    expect((await load(path, true)).variables).toEqual({})
  }
  await expect(load('secret/data/x', true)).rejects.toThrow('permission denied (VAULT_TOKEN is not set)')
})

test('a server that is busy is asked again, three times at most', async () => {
  let left = 2
  await using server = await serve(() => (left-- > 0 ? json({}, 503) : json({ data: { a: 1 } })))
  const entry = { vault: { address: server.url, path: 'kv/a' } }
  expect((await loadVars([entry])).variables).toEqual({ a: 1 })
  left = 99
  await expect(loadVars([entry])).rejects.toThrow('HTTP 503')
  expect(server.received).toHaveLength(6)
})

test('an address that the policy does not allow gets no token', async () => {
  await using server = await serve(() => json({ data: { a: 1 } }))
  const policy = { ...allowAll, allowsUrl: () => false }
  const entry = { vault: { address: server.url, path: 'kv/a' } }
  await expect(loadVars([entry], { environment, policy })).rejects.toThrow('is not allowed here')
  expect(server.received).toEqual([])
})
