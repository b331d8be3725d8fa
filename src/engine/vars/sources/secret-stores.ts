import type { z } from 'zod'
import { goString, requiredString, struct } from '../../project/schema/go.ts'
import type { SecretQuery } from '../remote.ts'
import type { Loaded, VarsContext, VarsSource } from '../source.ts'
import { loadedFromText, remoteOf } from './shared.ts'

const aws = struct({ secretName: requiredString, region: goString.optional(), profile: goString.optional() })
const gcp = struct({ secretName: requiredString })
const azure = struct({ vaultUri: requiredString, secretName: requiredString })
const hashicorp = struct({ address: requiredString, path: requiredString })

/** `awsSecretsManager`: YAML or JSON in a secret of AWS Secrets Manager. */
export const awsSecretsManager: VarsSource<z.output<typeof aws>> = {
  name: 'awsSecretsManager',
  schema: aws,
  sensitive: true,
  load: (spec, context) => load({ store: 'awsSecretsManager', ...spec, aws: context.aws }, context),
}

/** `gcpSecretManager`: YAML or JSON in a version of a secret of Google Secret Manager. */
export const gcpSecretManager: VarsSource<z.output<typeof gcp>> = {
  name: 'gcpSecretManager',
  schema: gcp,
  sensitive: true,
  load: (spec, context) => load({ store: 'gcpSecretManager', ...spec }, context),
}

/** `azureKeyVault`: YAML or JSON in a secret of Azure Key Vault. */
export const azureKeyVault: VarsSource<z.output<typeof azure>> = {
  name: 'azureKeyVault',
  schema: azure,
  sensitive: true,
  load: (spec, context) => load({ store: 'azureKeyVault', ...spec }, context),
}

/** `vault`: the map that a secret of HashiCorp Vault's KV engine is. */
export const vault: VarsSource<z.output<typeof hashicorp>> = {
  name: 'vault',
  schema: hashicorp,
  sensitive: true,
  load: (spec, context) => load({ store: 'vault', ...spec }, context),
}

async function load(query: SecretQuery, context: VarsContext): Promise<Loaded> {
  const found = await remoteOf(context).secret(query, context.signal)
  if ('missing' in found) return found
  return loadedFromText(found.text, context, `${query.store} ${'path' in query ? query.path : query.secretName}`)
}
