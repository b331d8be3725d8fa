import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { createSops } from '../../../src/engine/sops/index.ts'
import { testHost } from '../../harness/engine/host.ts'
import { serve } from '../../harness/engine/http-server.ts'
import { sopsFile } from '../../harness/engine/sops-file.ts'

const dataKey = randomBytes(32)
const base64 = dataKey.toString('base64')
const { signal } = new AbortController()

afterEach(() => {
  vi.unstubAllEnvs()
})

const json = (value: unknown, status = 200, type = 'application/json') => ({
  status,
  headers: { 'content-type': type },
  body: JSON.stringify(value),
})

async function decrypt(recipients: Record<string, unknown>, environment: Record<string, string | undefined> = {}) {
  const sops = createSops(testHost({ environment: { ...process.env, ...environment } }))
  const bytes = await sops.decrypt(sopsFile(dataKey, 'value', recipients), 'a.yaml', signal)
  return Buffer.from(bytes ?? []).toString('utf8')
}

test('AWS KMS opens the data key, in the region of its ARN and with its context', async () => {
  await using server = await serve(({ body }) => {
    const { EncryptionContext } = JSON.parse(body) as { EncryptionContext?: { app?: string } }
    if (EncryptionContext?.app !== 'x')
      return json({ __type: 'InvalidCiphertextException' }, 400, 'application/x-amz-json-1.1')
    return json({ Plaintext: base64 }, 200, 'application/x-amz-json-1.1')
  })
  vi.stubEnv('AWS_ENDPOINT_URL_KMS', server.url)
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'KEY')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'x')
  const key = { arn: 'arn:aws:kms:eu-west-1:1:key/k', enc: Buffer.from('c').toString('base64'), aws_profile: '' }
  expect(await decrypt({ kms: [{ ...key, context: { app: 'x' } }] })).toContain('value')
  expect(server.received[0]?.headers.authorization).toContain('/eu-west-1/kms/')
  await expect(decrypt({ kms: [key] })).rejects.toThrow('- kms arn:aws:kms:eu-west-1:1:key/k: ')
})

test('Google Cloud KMS opens the data key', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'offshoot-kms-'))
  await using server = await serve(({ path, body }) => {
    if (path === '/token')
      return json({ access_token: 'g', issued_token_type: 'x', token_type: 'Bearer', expires_in: 60 })
    const { ciphertext } = JSON.parse(body) as { ciphertext: string }
    return ciphertext === 'enc' && path.endsWith('/cryptoKeys/k:decrypt')
      ? json({ plaintext: base64 })
      : json({ error: { message: 'Decryption failed' } }, 400)
  })
  await writeFile(join(folder, 'jwt'), 'subject')
  const credentials = {
    type: 'external_account',
    audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: `${server.url}/token`,
    credential_source: { file: join(folder, 'jwt') },
  }
  await writeFile(join(folder, 'adc.json'), JSON.stringify(credentials))
  vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', join(folder, 'adc.json'))
  const environment = { CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS: server.url }
  const resource_id = 'projects/p/locations/global/keyRings/r/cryptoKeys/k'
  expect(await decrypt({ gcp_kms: [{ resource_id, enc: 'enc' }] }, environment)).toContain('value')
  await expect(decrypt({ gcp_kms: [{ resource_id, enc: 'no' }] }, environment)).rejects.toThrow('Decryption failed')
  await rm(folder, { recursive: true })
})

test('the transit engine of Vault opens the data key, once for files that share it', async () => {
  await using server = await serve(({ path, headers, body }) =>
    path === '/v1/transit/decrypt/app' && headers['x-vault-token'] === 't' && body.includes('vault:v1:c')
      ? json({ data: { plaintext: base64 } })
      : json({ errors: ['permission denied'] }, 403),
  )
  const key = { vault_address: server.url, engine_path: 'transit', key_name: 'app', enc: 'vault:v1:c' }
  const sops = createSops(testHost({ environment: { VAULT_TOKEN: 't' } }))
  const file = sopsFile(dataKey, 'value', { hc_vault: [key] })
  for (const name of ['a.yaml', 'b.yaml']) {
    expect(Buffer.from((await sops.decrypt(file, name, signal)) ?? []).toString()).toContain('value')
  }
  expect(server.received).toHaveLength(1)
  await expect(decrypt({ hc_vault: [key] }, { VAULT_TOKEN: 'wrong' })).rejects.toThrow('permission denied')
})

test('the next recipient is tried when one does not open the file', async () => {
  await using server = await serve(() => json({ data: { plaintext: base64 } }))
  const key = { vault_address: server.url, engine_path: 'transit', key_name: 'app', enc: 'c' }
  const age = [{ recipient: 'age1x', enc: 'x' }]
  expect(await decrypt({ age, hc_vault: [key] })).toContain('value')
})
