import { z } from 'zod'
import type { DesiredEngine } from '../../environment/desired.ts'
import type { Credential } from '../../util/credential.ts'
import { OffshootError } from '../../util/errors.ts'

const strings = z.array(z.string())

/** `DesiredEngine` as it goes into a file. */
const Desired: z.ZodType<DesiredEngine> = z.strictObject({
  kind: z.literal('engine'),
  source: z.strictObject({
    url: z.string(),
    path: z.string(),
    ref: z.strictObject({
      branch: z.string().optional(),
      tag: z.string().optional(),
      commit: z.string().optional(),
    }),
    ownRepository: z.boolean(),
  }),
  target: z.string().optional(),
  args: z.record(z.string(), z.unknown()),
  images: z.array(z.record(z.string(), z.unknown())),
  prune: z.boolean(),
  interval: z.number(),
  readinessTimeout: z.number(),
  keepResults: z.number(),
  allow: z.strictObject({ vars: strings, urls: strings }),
  runner: z.enum(['inline', 'job']),
})

/** What a Job is asked for: one run of the engine. */
export const JobRequest = z.strictObject({
  mode: z.enum(['deploy', 'compare']),
  desired: Desired,
  revision: z.string(),
  digest: z.string(),
  /** The environment's; objects that name none go there. */
  namespace: z.string().min(1),
  projectNamespace: z.string().min(1),
  project: z.string().min(1),
  environment: z.strictObject({ name: z.string().min(1), uid: z.string().min(1) }),
  /** The one that was recorded for it; nothing is deployed with another. */
  discriminator: z.string(),
  /** For its result; the environment's account may not find it out. */
  clusterId: z.string(),
})
export type JobRequest = z.infer<typeof JobRequest>

/** What a Job fetches the project with; of a GitHub App only the token, never the key. */
export const JobCredential = z.strictObject({
  token: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identity: z.string().optional(),
  knownHosts: z.string().optional(),
  ca: z.string().optional(),
})

/** Files of the folder that a Job's request is mounted to. */
export const requestFile = 'request.json'
export const credentialFile = 'credential.json'

/** The files of a request, as a Secret's data. @throws OffshootError for a credential that must not leave the controller */
export function requestData(request: JobRequest, credential: Credential | undefined): Record<string, string> {
  if (credential?.app !== undefined) throw new OffshootError('a GitHub App’s key stays with the controller')
  const { token, username, password, identity, knownHosts, ca } = credential ?? {}
  const secret = JSON.stringify({ token, username, password, identity, knownHosts, ca })
  const files = {
    [requestFile]: JSON.stringify(request),
    ...(credential === undefined ? {} : { [credentialFile]: secret }),
  }
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [name, Buffer.from(text).toString('base64')]))
}

/** Parses one of the files. @throws OffshootError that says what is wrong, without the text */
export function parseRequestFile<T>(schema: z.ZodType<T>, name: string, text: string): T {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The parser's own words quote the text, which may be a credential.
    throw new OffshootError(`${name} is not JSON`)
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  throw new OffshootError(`${name}: ${problems.join('; ')}`)
}
