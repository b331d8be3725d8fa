import { messageOf } from '../../../util/errors.ts'
import { EngineError } from '../../errors.ts'
import type { FoundSecret, SecretQuery } from '../remote.ts'
import type { AwsConfig } from '../source.ts'
import type { RemoteHost } from './direct.ts'
import { optional } from './optional.ts'

type AwsQuery = Extract<SecretQuery, { store: 'awsSecretsManager' }>
type Provider = ReturnType<typeof import('@aws-sdk/credential-providers').fromNodeProviderChain>

const roleAnnotation = 'eks.amazonaws.com/role-arn'

/** A secret of AWS Secrets Manager, by ARN or by name and region. @throws EngineError */
export async function awsSecret(host: RemoteHost, query: AwsQuery, signal: AbortSignal): Promise<FoundSecret> {
  const { secretName } = query
  const region = query.region || regionOfArn(secretName)
  if (region === undefined) {
    throw new EngineError('when omitting the AWS region, the secret name must be a valid ARN')
  }
  const aws = await optional('@aws-sdk/client-secrets-manager', () => import('@aws-sdk/client-secrets-manager'))
  const credentials = await awsCredentials(host, query.profile, query.aws, signal)
  const client = new aws.SecretsManagerClient({ region, ...(credentials === undefined ? {} : { credentials }) })
  const failed = `getting secret ${secretName} from AWS secrets manager failed`
  try {
    const found = await client.send(new aws.GetSecretValueCommand({ SecretId: secretName }), { abortSignal: signal })
    return { text: found.SecretString ?? Buffer.from(found.SecretBinary ?? []).toString('utf8') }
  } catch (error) {
    if (error instanceof aws.ResourceNotFoundException) return { missing: `${failed}: ${error.message}` }
    throw new EngineError(failed, { cause: error })
  } finally {
    client.destroy()
  }
}

/** The region of `arn:partition:service:region:account:resource`. */
export function regionOfArn(arn: string): string | undefined {
  const [prefix, , , region, , ...resource] = arn.split(':')
  return prefix === 'arn' && resource.length > 0 && region !== '' ? region : undefined
}

/**
 * Credentials in kluctl's order: what the environment configures; the profile, if this machine has it; the role of
 * the target's ServiceAccount; else (undefined) the SDK's default chain.
 */
export async function awsCredentials(
  host: RemoteHost,
  named: string | undefined,
  config: AwsConfig | undefined,
  signal: AbortSignal,
): Promise<Provider | undefined> {
  const { environment } = host
  if (environment.AWS_ACCESS_KEY_ID && environment.AWS_SECRET_ACCESS_KEY) return undefined
  if (environment.AWS_WEB_IDENTITY_TOKEN_FILE) return undefined
  const providers = await optional('@aws-sdk/credential-providers', () => import('@aws-sdk/credential-providers'))
  const inEnvironment = environment.AWS_PROFILE
  for (const profile of [inEnvironment, named || config?.profile]) {
    if (!profile) continue
    const provider = providers.fromNodeProviderChain({ profile })
    try {
      await provider()
      return provider
    } catch (error) {
      host.progress.warn(
        `the AWS profile ${profile} could not be loaded, reverting to default handling: ${messageOf(error)}`,
      )
    }
  }
  if (config?.serviceAccount === undefined || host.cluster === undefined) return undefined
  const role = await roleOf(host, config.serviceAccount, signal)
  if (role === undefined) return undefined
  return providers.fromWebToken({ ...role, roleSessionName: 'offshoot', durationSeconds: 3600 })
}

async function roleOf(
  host: RemoteHost,
  account: { name: string; namespace: string },
  signal: AbortSignal,
): Promise<{ roleArn: string; webIdentityToken: string } | undefined> {
  const { cluster, progress } = host
  const { namespace, name } = account
  try {
    const found = await cluster?.get({ apiVersion: 'v1', kind: 'ServiceAccount', namespace, name }, { signal })
    if (found === undefined || cluster === undefined) throw new EngineError(`serviceaccounts "${name}" not found`)
    const roleArn = found.metadata.annotations?.[roleAnnotation]
    if (!roleArn) return undefined
    const audiences = ['sts.amazonaws.com']
    const { token } = await cluster.createToken(namespace, name, { audiences, expirationSeconds: 600, signal })
    return { roleArn, webIdentityToken: token }
  } catch (error) {
    signal.throwIfAborted()
    progress.warn(
      `IRSA credentials could not be generated from the service account ${namespace}/${name}: ${messageOf(error)}`,
    )
    return undefined
  }
}
