import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { KubeClient } from '../../../src/kube/client.ts'
import { loadVars, type VarsWorld } from '../../harness/engine/host.ts'
import { type LoopbackServer, type Received, serve } from '../../harness/engine/http-server.ts'

let folder: string
let server: LoopbackServer

const arn = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:app-XYZ'

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'offshoot-aws-'))
  server = await serve(answer)
  await writeFile(join(folder, 'config'), '[profile prod]\nregion = us-east-1\n')
  await writeFile(join(folder, 'credentials'), '[prod]\naws_access_key_id = PRODKEY\naws_secret_access_key = x\n')
  vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', server.url)
  vi.stubEnv('AWS_ENDPOINT_URL_STS', server.url)
  vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'config'))
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder, 'credentials'))
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
  vi.stubEnv('AWS_MAX_ATTEMPTS', '1')
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await server[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

function answer({ headers, body }: Received) {
  if (body.includes('AssumeRoleWithWebIdentity')) {
    const credentials =
      '<AccessKeyId>ROLEKEY</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>' +
      '<Expiration>2099-01-01T00:00:00Z</Expiration>'
    return {
      status: 200,
      headers: { 'content-type': 'text/xml' },
      body: `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials>${credentials}</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
    }
  }
  expect(headers['x-amz-target']).toBe('secretsmanager.GetSecretValue')
  const { SecretId } = JSON.parse(body) as { SecretId: string }
  const type = { 'content-type': 'application/x-amz-json-1.1' }
  if (SecretId === 'absent') {
    return {
      status: 400,
      headers: type,
      body: JSON.stringify({ __type: 'ResourceNotFoundException', Message: 'gone' }),
    }
  }
  if (SecretId === 'binary') {
    return {
      status: 200,
      headers: type,
      body: JSON.stringify({ SecretBinary: Buffer.from('bin: 1').toString('base64') }),
    }
  }
  return { status: 200, headers: type, body: JSON.stringify({ SecretString: 'a: "{{ 1 + 1 }}"\n' }) }
}

function load(spec: Record<string, unknown>, world: VarsWorld = {}, ignoreMissing = false) {
  const environment = { ...process.env, ...world.environment }
  return loadVars([{ awsSecretsManager: spec, ignoreMissing }], { ...world, environment })
}

const signedBy = () =>
  /Credential=(\w+)\/\d+\/([a-z0-9-]+)\//.exec(server.received.at(-1)?.headers.authorization ?? '')?.slice(1)

function useKeys(): void {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'ENVKEY')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'x')
}

test('a secret by ARN or by name and region; its text is rendered and sensitive', async () => {
  useKeys()
  const { variables, sensitive } = await load({ secretName: arn })
  expect([variables, sensitive]).toEqual([{ a: '2' }, [true]])
  expect(signedBy()).toEqual(['ENVKEY', 'eu-central-1'])
  expect((await load({ secretName: 'binary', region: 'us-west-2' })).variables).toEqual({ bin: 1 })
  expect(signedBy()).toEqual(['ENVKEY', 'us-west-2'])
  await expect(load({ secretName: 'app' })).rejects.toThrow('the secret name must be a valid ARN')
})

test('only an absent secret can be ignored', async () => {
  useKeys()
  const absent = { secretName: 'absent', region: 'eu-central-1' }
  await expect(load(absent)).rejects.toThrow('getting secret absent from AWS secrets manager failed: gone')
  expect((await load(absent, {}, true)).variables).toEqual({})
})

test('the environment beats the profile, the entry beats the target, and an absent profile is a warning', async () => {
  await load({ secretName: arn, profile: 'prod' })
  expect(signedBy()?.[0]).toBe('PRODKEY')
  await load({ secretName: arn }, { aws: { profile: 'prod' } })
  expect(signedBy()?.[0]).toBe('PRODKEY')
  useKeys()
  await load({ secretName: arn, profile: 'prod' })
  expect(signedBy()?.[0]).toBe('ENVKEY')
})

test('an absent profile falls back to the role of the ServiceAccount', async () => {
  const tokens: unknown[] = []
  const cluster = {
    get: () =>
      Promise.resolve({ metadata: { annotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::1:role/r' } } }),
    createToken: (...asked: unknown[]) => {
      tokens.push(asked)
      return Promise.resolve({ token: 'jwt', expirationTimestamp: '' })
    },
  } as unknown as KubeClient
  const aws = { profile: 'nowhere', serviceAccount: { name: 'app', namespace: 'shop' } }
  const { variables, warnings } = await load({ secretName: arn }, { cluster, aws })
  expect(variables).toEqual({ a: '2' })
  expect(signedBy()?.[0]).toBe('ROLEKEY')
  expect(warnings).toEqual([expect.stringContaining('the AWS profile nowhere could not be loaded')])
  expect(tokens).toEqual([['shop', 'app', expect.objectContaining({ audiences: ['sts.amazonaws.com'] })]])
  expect(server.received[0]?.body).toContain('WebIdentityToken=jwt')
})
