import type { ZodType } from 'zod'
import type { EngineHost } from '../host.ts'
import type { Json, JsonObject } from '../values.ts'

/** The kinds of variable sources, named as in `deployment.yaml`. */
export const sourceNames = [
  'values',
  'file',
  'git',
  'gitFiles',
  'clusterConfigMap',
  'clusterSecret',
  'clusterObject',
  'systemEnvVars',
  'http',
  'awsSecretsManager',
  'gcpSecretManager',
  'vault',
  'azureKeyVault',
] as const

export type SourceName = (typeof sourceNames)[number]

/** AWS settings of the target, which `awsSecretsManager` follows. */
export interface AwsConfig {
  profile?: string | undefined
  serviceAccount?: { name: string; namespace: string } | undefined
}

/** What a source sees of the run that loads it. */
export interface VarsContext {
  readonly host: EngineHost
  readonly aws: AwsConfig | undefined
  readonly signal: AbortSignal
  /** Variables known so far. Read only. */
  readonly variables: JsonObject
  /** `ignoreMissing: true` of the entry, for sources that ignore more than their whole. */
  readonly ignoreMissing: boolean
  /** `multidoc: true` of the entry: text holds several documents, and the value is a list. */
  readonly multidoc: boolean
  /** Renders a text with the variables known so far. @throws JinjaError */
  render(text: string): string
  /** Finds, reads and renders a file on the search path; undefined when there is none. @throws JinjaError */
  renderFile(name: string, folders?: readonly string[]): { path: string; text: string } | undefined
}

/** What a source gave: a value, or the fact that there is none. */
export type Loaded =
  | {
      readonly value: Json
      /** Overrides the source's default. */
      readonly sensitive?: boolean
    }
  | {
      /** The error's message unless the entry says `ignoreMissing`. */
      readonly missing: string
      /** With `ignoreMissing`: what counts as its value, default an empty map; undefined leaves all as it was. */
      readonly instead?: Json | undefined
    }

/** One kind of variable source. */
export interface VarsSource<Spec = unknown> {
  readonly name: SourceName
  /** What stands under the source's name, after its strings were rendered. Strict. */
  readonly schema: ZodType<Spec>
  /** Whether its variables are secret unless the entry says otherwise. */
  readonly sensitive: boolean
  /** @throws EngineError, JinjaError */
  load(spec: Spec, context: VarsContext): Promise<Loaded>
}
