import dns from 'node:dns'
import tls from 'node:tls'
import { afterEach, expect, test, vi } from 'vitest'
import { selfSigned } from '../../harness/engine/certificate.ts'
import { loadVars } from '../../harness/engine/host.ts'
import { serve } from '../../harness/engine/http-server.ts'

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

const json = (value: unknown, status = 200, headers = {}) => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(value),
})

test('a secret is read with the managed identity of the surroundings, after the challenge of the vault', async () => {
  await using identity = await serve(() =>
    json({
      access_token: 'az',
      expires_on: `${Math.floor(Date.now() / 1000) + 3600}`,
      token_type: 'Bearer',
      resource: 'r',
    }),
  )
  const certificate = await selfSigned('one.vault.localhost')
  await using vault = await serve(({ path, headers }) => {
    if (headers.authorization !== 'Bearer az') {
      const challenge = 'Bearer authorization="https://login.localhost/tenant", resource="https://vault.localhost"'
      return json({}, 401, { 'www-authenticate': challenge })
    }
    if (path.startsWith('/secrets/absent')) return json({ error: { code: 'SecretNotFound', message: 'no' } }, 404)
    return json({ value: 'a: 1', id: 'https://one.vault.localhost/secrets/app/1', attributes: {} })
  }, certificate)
  tls.setDefaultCACertificates([...tls.getCACertificates(), certificate.cert])
  const lookup = dns.lookup
  vi.spyOn(dns, 'lookup').mockImplementation(((name: string, ...rest: unknown[]) =>
    Reflect.apply(lookup, dns, [name.endsWith('vault.localhost') ? 'localhost' : name, ...rest])) as never)
  vi.stubEnv('IDENTITY_ENDPOINT', `${identity.url}/token`)
  vi.stubEnv('IDENTITY_HEADER', 'h')

  const vaultUri = `https://one.vault.localhost:${vault.port}/`
  const load = (secretName: string, ignoreMissing: boolean) =>
    loadVars([{ azureKeyVault: { vaultUri, secretName }, ignoreMissing }])
  const { variables, sensitive } = await load('app', false)
  expect([variables, sensitive]).toEqual([{ a: 1 }, [true]])
  expect(identity.received[0]?.path).toContain('resource=https%3A%2F%2Fvault.localhost')
  await expect(load('absent', false)).rejects.toThrow('the specified azure-key-vault secret was not found')
  expect((await load('absent', true)).variables).toEqual({})
})
