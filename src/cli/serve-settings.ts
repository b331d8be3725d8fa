import { randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { z } from 'zod'
import { Duration, durationMilliseconds, ObjectName } from '../api/index.ts'
import { JobPod } from '../backend/engine/job-pod.ts'
import { parseAppGrant } from '../controller/app-grants.ts'
import { type ListenAddress, parseListenAddress } from '../server/address.ts'
import { InvalidInputError, messageOf } from '../util/errors.ts'

const names = z.array(ObjectName).max(100)
const duration = Duration.transform(durationMilliseconds)
const flag = z.union([z.boolean(), z.stringbool()])

function address(text: string, context: z.RefinementCtx<string>): ListenAddress {
  try {
    return parseListenAddress(text)
  } catch (error) {
    context.addIssue(messageOf(error))
    return z.NEVER
  }
}

function jobPod(text: string, context: z.RefinementCtx<string>): JobPod {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    context.addIssue(`expected JSON: ${messageOf(error)}`)
    return z.NEVER
  }
  const parsed = JobPod.safeParse(value)
  if (parsed.success) return parsed.data
  for (const { path, message } of parsed.error.issues) context.addIssue(`${path.join('.')}: ${message}`)
  return z.NEVER
}

/** HTTPS, or HTTP to this machine. */
const HttpsUrl = z
  .string()
  .regex(/^(https:\/\/|http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:|\/|$))/, 'expected https://…')
  .refine(text => URL.canParse(text), 'expected a URL')

function grant(text: string, context: z.RefinementCtx<string>): void {
  try {
    parseAppGrant(text)
  } catch (error) {
    context.addIssue(messageOf(error))
  }
}

/**
 * Settings of `offshoot serve`: each is a flag, and an environment variable (`OFFSHOOT_` and the flag's name in capitals;
 * lists separated by commas). A flag wins over the variable.
 */
export const ServeSettings = z
  .strictObject({
    listen: z.string().transform(address).prefault(':8080').describe('Where webhooks arrive, host:port'),
    advertiseAddress: z
      .string()
      .transform(address)
      .optional()
      .describe(
        'Where other replicas reach this one’s webhooks, host:port (default: $POD_IP with the port of --listen)',
      ),
    metricsListen: z
      .string()
      .transform((text, context) => (text === 'off' ? undefined : address(text, context)))
      .prefault(':9090')
      .describe('Where metrics are read, host:port, or "off"'),
    namespace: ObjectName.optional().describe(
      'The controller’s own namespace, for its Lease (default: that of the context)',
    ),
    watchNamespace: names
      .default([])
      .describe('A namespace whose projects are looked after; repeatable (default: all)'),
    allowedClusterRole: names
      .default(['offshoot-environment'])
      .describe('A ClusterRole that projects may give to environments; repeatable'),
    webhookSecretFile: z
      .string()
      .optional()
      .describe('File with the secrets of POST /webhooks/{type}, one per line; read again when it changes'),
    webhookUrl: HttpsUrl.optional().describe(
      'Public address of the webhooks, https://…: deliveries that failed to arrive there are asked for again',
    ),
    githubAppId: z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,64}$/, 'expected the ID of a GitHub App')
      .optional()
      .describe('GitHub App for projects without a credential of their own'),
    githubAppPrivateKeyFile: z.string().min(1).optional().describe('File with the private key of that App'),
    githubAppAllow: z
      .array(z.string().superRefine(grant))
      .max(1000)
      .default([])
      .describe('Projects that may use that App, namespace=owner/repository with * for any; repeatable'),
    githubAppApiUrl: HttpsUrl.prefault('https://api.github.com').describe('REST API that the App belongs to'),
    leaderElection: flag.default(true).describe('Take turns with other replicas by a Lease'),
    leaseName: ObjectName.default('offshoot-controller').describe('Name of that Lease'),
    leaseDuration: duration.prefault('15s').describe('How long a leader that is silent is waited for'),
    identity: z
      .string()
      .min(1)
      .max(253)
      .default(() => `${hostname()}-${randomBytes(4).toString('hex')}`)
      .describe('Name of this replica in the Lease (default: host name and a random part)'),
    installation: z
      .string()
      .max(63)
      .default('')
      .describe('Tells clusters apart whose Offshoots use one account at the forge'),
    workers: z.coerce
      .number({ error: 'expected a number' })
      .int()
      .min(1)
      .max(256)
      .default(8)
      .describe('Environments worked on at once'),
    cacheFolder: z
      .string()
      .min(1)
      .optional()
      .describe('Folder for what is fetched from Git (default: a temporary one that goes with the process)'),
    tempFolder: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Folder of this process alone for files in use; what a killed one left there goes at the start (default: the system’s, where it stays)',
      ),
    runnerImage: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,1023}$/, 'expected the name of an image')
      .optional()
      .describe('Offshoot’s own image, for the Jobs of projects with deploy.engine.runner: job'),
    runnerPod: z
      .string()
      .transform(jobPod)
      .prefault('{}')
      .describe(
        'What the pods of those Jobs get, as JSON: env, imagePullPolicy, imagePullSecrets, nodeSelector, tolerations, securityContext (runAsUser, runAsGroup, fsGroup), resources',
      ),
    logLevel: z
      .enum(['debug', 'info', 'warn', 'error', 'silent'])
      .default('info')
      .describe('Least level that is logged'),
    shutdownTimeout: duration.prefault('20s').describe('How long running work may take to end'),
  })
  .refine(({ leaseDuration }) => leaseDuration >= 3_000, { path: ['leaseDuration'], error: 'expected at least 3s' })
export type ServeSettings = z.infer<typeof ServeSettings>

/** Setting to what it is for, in the order of the help. */
export const settingDescriptions = Object.fromEntries(
  Object.entries(ServeSettings.shape).map(([name, schema]) => [name, schema.description ?? '']),
)

/** Settings that hold several values. */
export const listSettings: ReadonlySet<string> = new Set(['watchNamespace', 'allowedClusterRole', 'githubAppAllow'])

/** The variable of a setting: `OFFSHOOT_WATCH_NAMESPACE` for `watchNamespace`. */
export function variableOf(setting: string): string {
  return `OFFSHOOT_${snake(setting, '_').toUpperCase()}`
}

/** The flag of a setting: `--watch-namespace` for `watchNamespace`. */
export function flagOf(setting: string): string {
  return `--${snake(setting, '-')}`
}

/**
 * Settings from flags and environment.
 * @throws InvalidInputError with every mistake at once: flag and variable, and what was expected.
 */
export function parseServeSettings(
  flags: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string | undefined>>,
): ServeSettings {
  const input: Record<string, unknown> = {}
  for (const setting of Object.keys(ServeSettings.shape)) {
    const text = env[variableOf(setting)]
    const fromEnv = text === undefined || text === '' ? undefined : listSettings.has(setting) ? split(text) : text
    const value = flags[setting] ?? fromEnv
    if (value !== undefined) input[setting] = value
  }
  const parsed = ServeSettings.safeParse(input)
  if (parsed.success) return withPodAddress(parsed.data, env.POD_IP)
  const problems = parsed.error.issues.map(({ path, message }) => {
    const setting = String(path[0])
    return { path: `${flagOf(setting)} (${variableOf(setting)})`, message }
  })
  throw new InvalidInputError(problems)
}

/** Kubernetes tells a container its pod's address through the downward API. */
function withPodAddress(settings: ServeSettings, podIp: string | undefined): ServeSettings {
  if (settings.advertiseAddress !== undefined || podIp === undefined || isIP(podIp) === 0) return settings
  return { ...settings, advertiseAddress: { host: podIp, port: settings.listen.port } }
}

function split(text: string): string[] {
  return text
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '')
}

function snake(name: string, separator: string): string {
  return name.replace(/[A-Z]/g, letter => `${separator}${letter.toLowerCase()}`)
}
