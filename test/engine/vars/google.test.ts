import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { loadVars } from '../../harness/engine/host.ts'
import { type LoopbackServer, serve } from '../../harness/engine/http-server.ts'

let folder: string
let server: LoopbackServer

const json = (value: unknown, status = 200) => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
})

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'offshoot-google-'))
  server = await serve(({ path, headers }) => {
    if (path === '/token')
      return json({ access_token: 'goog', issued_token_type: 'x', token_type: 'Bearer', expires_in: 60 })
    if (headers.authorization !== 'Bearer goog') return json({ error: { message: 'no token' } }, 401)
    if (path.includes('absent')) return json({ error: { message: 'Secret not there', status: 'NOT_FOUND' } }, 404)
    if (path.includes('closed')) return json({ error: { message: 'Permission denied' } }, 403)
    return json({ payload: { data: Buffer.from('a: ä\n').toString('base64') } })
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
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await server[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

function load(secretName: string, ignoreMissing = false) {
  const environment = { CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER: `${server.url}/` }
  return loadVars([{ gcpSecretManager: { secretName }, ignoreMissing }], { environment })
}

test('a version of a secret is read with Application Default Credentials', async () => {
  const { variables, sensitive } = await load('projects/p/secrets/s/versions/latest')
  expect([variables, sensitive]).toEqual([{ a: 'ä' }, [true]])
  expect(server.received.at(-1)?.path).toBe('/v1/projects/p/secrets/s/versions/latest:access')
})

test('an absent secret can be ignored; a closed one and a malformed name cannot', async () => {
  await expect(load('projects/p/secrets/absent/versions/1')).rejects.toThrow('secret not found: ')
  expect((await load('projects/p/secrets/absent/versions/1', true)).variables).toEqual({})
  await expect(load('projects/p/secrets/closed/versions/1', true)).rejects.toThrow('Permission denied')
  await expect(load('projects/p/secrets/s/versions/../x')).rejects.toThrow('expected a secret as projects/*/')
})
