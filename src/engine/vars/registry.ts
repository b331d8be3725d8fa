import type { SourceName, VarsSource } from './source.ts'
import { clusterConfigMap, clusterSecret } from './sources/cluster-config-map.ts'
import { clusterObject } from './sources/cluster-object.ts'
import { file } from './sources/file.ts'
import { git } from './sources/git.ts'
import { gitFiles } from './sources/git-files.ts'
import { http } from './sources/http.ts'
import { awsSecretsManager, azureKeyVault, gcpSecretManager, vault } from './sources/secret-stores.ts'
import { systemEnvVars } from './sources/system-env-vars.ts'
import { values } from './sources/values.ts'

const all: readonly VarsSource[] = [
  values,
  file,
  systemEnvVars,
  git,
  gitFiles,
  clusterConfigMap,
  clusterSecret,
  clusterObject,
  http,
  awsSecretsManager,
  gcpSecretManager,
  azureKeyVault,
  vault,
]

/** Every kind of variable source, by name. */
export const sources: ReadonlyMap<SourceName, VarsSource> = new Map(all.map(source => [source.name, source]))
