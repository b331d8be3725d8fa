import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { messageOf } from '../../util/errors.ts'
import { EngineError } from '../errors.ts'

/** What opens a registry. Files hold PEM. */
export interface RegistryCredential {
  username?: string
  password?: string
  /** Sent as it is. */
  token?: string
  /** Exchanged for a token at the registry's token server. */
  identityToken?: string
  caFile?: string
  certFile?: string
  keyFile?: string
  insecureSkipTlsVerify?: boolean
  plainHttp?: boolean
}

interface StoredEntry {
  /** `name:password` in base64; the two may stand alone too. */
  auth?: string
  username?: string
  password?: string
  identitytoken?: string
  registrytoken?: string
}

interface DockerConfig {
  auths?: Record<string, StoredEntry | undefined>
  credHelpers?: Record<string, string | undefined>
  credsStore?: string
}

type Environment = Readonly<Record<string, string | undefined>>

const deadline = 30_000

/** A credential with what `docker login` stored for the host, where it holds no login of its own. @throws EngineError */
export async function withStoredLogin(
  given: RegistryCredential | undefined,
  host: string,
  files: readonly string[],
  environment: Environment,
  signal: AbortSignal,
): Promise<RegistryCredential> {
  const own = [given?.username, given?.token, given?.identityToken].some(part => part !== undefined)
  return { ...given, ...(own ? undefined : await storedLogin(host, files, environment, signal)) }
}

/**
 * What `docker login` stored for a host, in the configuration files given, in the clear or with a credential helper.
 * @throws EngineError when a file or a helper cannot be read
 */
export async function storedLogin(
  host: string,
  files: readonly string[],
  environment: Environment,
  signal: AbortSignal,
): Promise<RegistryCredential | undefined> {
  for (const file of files) {
    const config = await readConfig(file)
    for (const name of namesOf(host)) {
      const helper = config?.credHelpers?.[name]
      const found = helper === undefined ? undefined : await askHelper(helper, name, environment, signal)
      if (found !== undefined) return found
    }
    for (const name of namesOf(host)) {
      const entry = config?.auths?.[name]
      const found = entry === undefined ? undefined : fromEntry(entry)
      if (found !== undefined) return found
    }
    const store = config?.credsStore
    for (const name of store === undefined ? [] : namesOf(host)) {
      const found = await askHelper(store ?? '', name, environment, signal)
      if (found !== undefined) return found
    }
  }
  return undefined
}

/** The names that a login for a host may be stored under. */
function namesOf(host: string): string[] {
  const names = [host, `https://${host}`, `https://${host}/`, `https://${host}/v1/`, `https://${host}/v2/`]
  return host === 'registry-1.docker.io'
    ? ['https://index.docker.io/v1/', 'index.docker.io', 'docker.io', ...names]
    : names
}

async function readConfig(file: string): Promise<DockerConfig | undefined> {
  try {
    const text = await readFile(file, 'utf8')
    // Programs that make sure that the file is there leave it empty.
    return text.trim() === '' ? undefined : (JSON.parse(text) as DockerConfig)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    // The parser's words may quote a password.
    throw new EngineError(`${file} is not a registry configuration in JSON`)
  }
}

function fromEntry(entry: StoredEntry): RegistryCredential | undefined {
  const [name = '', ...rest] = Buffer.from(entry.auth ?? '', 'base64')
    .toString('utf8')
    .split(':')
  const username = name || (entry.username ?? '')
  if (entry.registrytoken) return { token: entry.registrytoken }
  if (entry.identitytoken) return { username, identityToken: entry.identitytoken }
  return username === '' ? undefined : { username, password: name === '' ? (entry.password ?? '') : rest.join(':') }
}

/** Asks `docker-credential-NAME get`; undefined when it knows of no login. @throws EngineError */
async function askHelper(
  name: string,
  host: string,
  environment: Environment,
  signal: AbortSignal,
): Promise<RegistryCredential | undefined> {
  if (!/^[\w.-]+$/.test(name)) throw new EngineError(`${JSON.stringify(name)} is not a credential helper`)
  const program = `docker-credential-${name}`
  const limited = AbortSignal.any([signal, AbortSignal.timeout(deadline)])
  const env = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined)) as Record<
    string,
    string
  >
  const child = spawn(program, ['get'], {
    env,
    stdio: ['pipe', 'pipe', 'ignore'],
    signal: limited,
    killSignal: 'SIGKILL',
  })
  const text = await new Promise<string | undefined>((resolve, reject) => {
    let out = ''
    child.stdout.on('data', (chunk: Buffer) => {
      if (out.length < 64 * 1024) out += chunk.toString('utf8')
    })
    child.on('error', error => reject(new EngineError(`${program} cannot be asked: ${messageOf(error)}`)))
    // A helper that ends before it has read everything is judged by its exit code.
    child.stdin.on('error', () => undefined)
    child.stdin.end(host)
    // Helpers end with 1 for a host that they do not know.
    child.on('close', code => resolve(code === 0 ? out : undefined))
  })
  if (text === undefined) return undefined
  const { Username: username = '', Secret: secret = '' } = JSON.parse(text) as { Username?: string; Secret?: string }
  // This user name marks an identity token (docker/docker-credential-helpers).
  if (username === '<token>') return { username: '', identityToken: secret }
  return username === '' ? undefined : { username, password: secret }
}
