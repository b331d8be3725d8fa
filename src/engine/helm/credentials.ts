import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import picomatch from 'picomatch'
import { EngineError } from '../errors.ts'
import type { RegistryCredential } from '../oci/login.ts'
import { isObject, type JsonObject } from '../values.ts'
import { readYamlObject } from '../yaml.ts'

/** What opens a chart repository or registry. Files hold PEM. */
export interface ChartCredential extends RegistryCredential {
  passCredentialsAll?: boolean
}

interface Entry {
  readonly host: string
  readonly matches: (path: string) => boolean
  readonly credential: ChartCredential
}

/** Values of the flags by field, each `host/path=value`, or `host/path` for switches. */
export type CredentialFlags = Readonly<Partial<Record<keyof ChartCredential | 'creds', readonly string[] | undefined>>>

/** Which family of flags and variables: chart repositories, or OCI registries. */
export type CredentialFamily = 'helm' | 'registry'

const switches = new Set<string>(['insecureSkipTlsVerify', 'plainHttp', 'passCredentialsAll'])
const suffixes: Readonly<Record<string, keyof ChartCredential>> = {
  USERNAME: 'username',
  PASSWORD: 'password',
  TOKEN: 'token',
  IDENTITY_TOKEN: 'identityToken',
  CA_FILE: 'caFile',
  CERT_FILE: 'certFile',
  KEY_FILE: 'keyFile',
  INSECURE_SKIP_TLS_VERIFY: 'insecureSkipTlsVerify',
  PLAIN_HTTP: 'plainHttp',
  PASS_CREDENTIALS_ALL: 'passCredentialsAll',
}

/**
 * Finds what opens a URL: the flags first, then sets of variables (`KLUCTL_HELM_HOST`, `…_PATH`, `…_USERNAME` and so
 * on, with an index after the family, and the same with `OFFSHOOT_`).
 * @throws EngineError for a flag of another form
 */
export function chartCredentials(
  family: CredentialFamily,
  flags: CredentialFlags,
  environment: Readonly<Record<string, string | undefined>>,
): (url: string) => ChartCredential | undefined {
  const entries = [...flagEntries(family, flags), ...environmentEntries(family, environment)]
  return url => {
    const parsed = URL.parse(url.replace(/^oci:/, 'https:'))
    if (parsed === null) return undefined
    const whole = decodeURIComponent(parsed.pathname).replace(/^\//, '')
    const path = url.startsWith('oci:') ? whole.replace(/[:@].*$/s, '') : whole
    // The port of `oci://host:443` is dropped with the usual one; people write it either way.
    const hosts = [parsed.host, URL.parse(url)?.host]
    return entries.find(({ host, matches }) => hosts.includes(host) && matches(path))?.credential
  }
}

/** Flags of both families. */
export interface ChartCredentialFlags {
  readonly helm?: CredentialFlags | undefined
  readonly registry?: CredentialFlags | undefined
}

/** What opens the repository or registry of a chart's URL, by flags and variables; see `chartCredentials`. */
export function chartCredentialsOf(
  flags: ChartCredentialFlags,
  environment: Readonly<Record<string, string | undefined>>,
): (url: string) => ChartCredential | undefined {
  const helm = chartCredentials('helm', flags.helm ?? {}, environment)
  const registry = chartCredentials('registry', flags.registry ?? {}, environment)
  return url => (url.startsWith('oci://') ? registry(url) : helm(url))
}

function flagEntries(family: CredentialFamily, flags: CredentialFlags): Entry[] {
  const entries = new Map<string, Entry>()
  for (const [field, values] of Object.entries(flags)) {
    for (const text of values ?? []) {
      const at = text.indexOf('=')
      if (at < 0 && !switches.has(field)) throw new EngineError(`--${family}-${kebab(field)}: expected host/path=value`)
      const key = at < 0 ? text : text.slice(0, at)
      const entry = entries.get(key) ?? entryFor(key)
      entries.set(key, entry)
      setFlag(entry.credential, field as keyof CredentialFlags, text.slice(at + 1), family)
    }
  }
  return [...entries.values()]
}

function setFlag(
  credential: ChartCredential,
  field: keyof CredentialFlags,
  value: string,
  family: CredentialFamily,
): void {
  if (field !== 'creds') {
    Object.assign(credential, { [field]: switches.has(field) ? true : value })
    return
  }
  const colon = value.indexOf(':')
  if (colon >= 0) Object.assign(credential, { username: value.slice(0, colon), password: value.slice(colon + 1) })
  else if (family === 'registry') credential.token = value
  else throw new EngineError('format of --helm-creds values must be <host>/<path>=<username>:<password>')
}

function environmentEntries(
  family: CredentialFamily,
  environment: Readonly<Record<string, string | undefined>>,
): Entry[] {
  // A registry's host may stand in its repository instead.
  const first = family === 'registry' ? 'HOST|REPOSITORY' : 'HOST'
  const name = new RegExp(`^((?:OFFSHOOT|KLUCTL)_${family.toUpperCase()}_(?:(\\d+)_)?)(?:${first})$`)
  const sets = new Map<string, number>()
  for (const variable of Object.keys(environment)) {
    const [, prefix, index] = name.exec(variable) ?? []
    if (prefix !== undefined) sets.set(prefix, Number(index ?? -1))
  }
  const skipsByDefault = ['OFFSHOOT', 'KLUCTL'].some(brand =>
    isTrue(environment[`${brand}_${family.toUpperCase()}_DEFAULT_INSECURE_SKIP_TLS_VERIFY`] ?? ''),
  )
  const found: { index: number; entry: Entry }[] = []
  for (const [prefix, index] of sets) {
    const host = environment[`${prefix}HOST`] ?? ''
    const path = environment[`${prefix}PATH`] || environment[`${prefix}REPOSITORY`] || ''
    const key = [host, path].filter(part => part !== '').join('/')
    if (key === '' || (host === '' && !path.includes('/'))) continue
    const entry = entryFor(key)
    if (skipsByDefault) entry.credential.insecureSkipTlsVerify = true
    for (const [suffix, field] of Object.entries(suffixes)) {
      const value = environment[prefix + suffix]
      if (value === undefined || value === '') continue
      Object.assign(entry.credential, { [field]: switches.has(field) ? isTrue(value) : value })
    }
    found.push({ index, entry })
  }
  return found.sort((a, b) => a.index - b.index).map(({ entry }) => entry)
}

function entryFor(key: string): Entry {
  const slash = key.indexOf('/')
  const host = slash < 0 ? key : key.slice(0, slash)
  const glob = slash < 0 ? '' : key.slice(slash + 1)
  return { host, matches: glob === '' ? () => true : picomatch(glob, { dot: true }), credential: {} }
}

function isTrue(value: string): boolean {
  return ['1', 't', 'T', 'TRUE', 'true', 'True'].includes(value)
}

function kebab(field: string): string {
  return field.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
}

/** What `helm repo add` stored for a repository, found by its URL as kluctl does. */
export async function helmConfigCredential(
  url: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<ChartCredential | undefined> {
  const file = environment.HELM_REPOSITORY_CONFIG || join(helmConfigFolder(environment), 'repositories.yaml')
  const text = await readFile(file, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const { repositories } = readYamlObject(text)
  const trim = (value: unknown) => (typeof value === 'string' ? value.replace(/\/$/, '') : undefined)
  const entry = Array.isArray(repositories)
    ? repositories.find(it => isObject(it) && trim(it.url) === trim(url))
    : undefined
  return isObject(entry) ? storedCredential(entry) : undefined
}

/** The registries' credentials that `helm registry login` and `docker login` stored. */
export function registryConfigFiles(environment: Readonly<Record<string, string | undefined>>): string[] {
  const docker = environment.DOCKER_CONFIG || join(environment.HOME ?? '/', '.docker')
  const helm = environment.HELM_REGISTRY_CONFIG || join(helmConfigFolder(environment), 'registry', 'config.json')
  return [helm, join(docker, 'config.json')]
}

function helmConfigFolder(environment: Readonly<Record<string, string | undefined>>): string {
  const { HELM_CONFIG_HOME: own, XDG_CONFIG_HOME: xdg, HOME: home } = environment
  return own || join(xdg || join(home ?? '/', '.config'), 'helm')
}

function storedCredential(entry: JsonObject): ChartCredential {
  const text = (field: string) => (typeof entry[field] === 'string' && entry[field] !== '' ? entry[field] : undefined)
  const fields = {
    username: text('username'),
    password: text('password'),
    caFile: text('caFile'),
    certFile: text('certFile'),
    keyFile: text('keyFile'),
    insecureSkipTlsVerify: entry.insecure_skip_tls_verify === true ? true : undefined,
    passCredentialsAll: entry.pass_credentials_all === true ? true : undefined,
  }
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
