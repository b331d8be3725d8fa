import { z } from 'zod'
import { EngineError } from '../errors.ts'

const text = z.string().optional().default('')
const list = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform(items => items ?? [])

const groupShape = {
  age: list(z.object({ recipient: z.string(), enc: z.string() })),
  pgp: list(z.object({ fp: z.string(), enc: z.string() })),
  kms: list(
    z.object({
      arn: z.string(),
      role: text,
      enc: z.string(),
      aws_profile: text,
      context: z.record(z.string(), z.string()).nullish(),
    }),
  ),
  gcp_kms: list(z.object({ resource_id: z.string(), enc: z.string() })),
  azure_kv: list(z.object({ vault_url: z.string(), name: z.string(), version: text, enc: z.string() })),
  hc_vault: list(
    z.object({ vault_address: z.string(), engine_path: z.string(), key_name: z.string(), enc: z.string() }),
  ),
}

const keyGroup = z.object(groupShape)

const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform(value => value === 'true')])

const schema = z.object({
  ...groupShape,
  key_groups: list(keyGroup),
  shamir_threshold: z.coerce.number().int().min(0).optional().default(0),
  lastmodified: z.string(),
  mac: z.string(),
  mac_only_encrypted: flag.optional().default(false),
  unencrypted_suffix: text,
  encrypted_suffix: text,
  unencrypted_regex: text,
  encrypted_regex: text,
  unencrypted_comment_regex: text,
  encrypted_comment_regex: text,
})

/** Keys that each open the data key, or one part of it. */
export type KeyGroup = z.output<typeof keyGroup>

/** What a SOPS file says of itself. */
export type Metadata = z.output<typeof schema>

/** @throws EngineError that names what does not fit */
export function parseMetadata(value: unknown): Metadata {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(issue => `${['sops', ...issue.path].join('.')}: ${issue.message}`)
  throw new EngineError(`the SOPS metadata cannot be read: ${problems.join('; ')}`)
}

/** The groups of keys: one for the whole data key, or several that each open a part. */
export function groupsOf(metadata: Metadata): readonly KeyGroup[] {
  const own = keyGroup.parse(metadata)
  return Object.values(own).some(keys => keys.length > 0) ? [own] : metadata.key_groups
}

/** Nested metadata of the flat form that dotenv and INI files have: `age__list_0__map_recipient`. */
export function unflatten(flat: ReadonlyMap<string, string>): unknown {
  const root = Object.create(null) as Record<string, unknown>
  for (const [name, value] of flat) {
    const keys = name
      .split(/__(?=map_|list_)/)
      .map((part, index) => (index === 0 ? part : part.replace(/^[a-z]+_/, '')))
    let at = root
    for (const [index, key] of keys.entries()) {
      if (index === keys.length - 1) at[key] = value.replaceAll('\\n', '\n')
      else {
        at[key] ??= Object.create(null)
        at = at[key] as Record<string, unknown>
      }
    }
  }
  return listsIn(root)
}

function listsIn(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value)
  const isList = entries.length > 0 && entries.every(([key]) => /^\d+$/.test(key))
  if (isList) return entries.sort(([a], [b]) => Number(a) - Number(b)).map(([, inner]) => listsIn(inner))
  return Object.fromEntries(entries.map(([key, inner]) => [key, listsIn(inner)]))
}
