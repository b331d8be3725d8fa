import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runTool, ToolError, type Tools, toolEnvironment } from '../binaries/index.ts'
import { EngineError, within } from '../errors.ts'
import { type RegistryCredential, withStoredLogin } from '../oci/login.ts'
import type { JsonObject } from '../values.ts'
import { writeYaml } from '../yaml.ts'
import { type ChartCredential, helmConfigCredential, registryConfigFiles } from './credentials.ts'

/** What talking to repositories and registries needs. */
export interface RemoteOptions {
  readonly tools: Pick<Tools, 'get'>
  readonly environment: Readonly<Record<string, string | undefined>>
  /** By flags and variables; what Helm and Docker stored is found besides. */
  readonly credential: (url: string) => ChartCredential | undefined
}

const alias = 'charts'
/** The name that logins for Docker Hub are stored under. */
const dockerHub = 'https://index.docker.io/v1/'

/**
 * A session of the real Helm with one repository or registry. Its credentials stand in files that only we can read,
 * never in arguments or variables, and are gone when it is disposed of.
 */
export class HelmSession implements AsyncDisposable {
  readonly #folder: string
  readonly #options: RemoteOptions
  readonly #url: string
  readonly #flags: readonly string[]
  /** What Helm forgets of the repository's entry when it pulls. */
  readonly #pullFlags: readonly string[]

  private constructor(
    folder: string,
    options: RemoteOptions,
    url: string,
    flags: readonly string[],
    insecure: boolean,
  ) {
    this.#folder = folder
    this.#options = options
    this.#url = url
    this.#flags = flags
    this.#pullFlags = insecure ? ['--insecure-skip-tls-verify'] : []
  }

  /** Prepares a session. @throws EngineError */
  static async open(url: string, options: RemoteOptions, signal: AbortSignal): Promise<HelmSession> {
    const folder = await mkdtemp(join(tmpdir(), 'offshoot-helm-'))
    try {
      if (url.startsWith('oci://')) {
        return new HelmSession(folder, options, url, await registryFlags(folder, url, options, signal), false)
      }
      const found = options.credential(url) ?? (await helmConfigCredential(url, options.environment)) ?? {}
      const flags = await repositoryFlags(folder, url, found)
      return new HelmSession(folder, options, url, flags, found.insecureSkipTlsVerify === true)
    } catch (error) {
      await rm(folder, { recursive: true, force: true })
      throw error
    }
  }

  /** Unpacks one version of a chart and gives its folder, which lives as long as the session. @throws ToolError */
  async pull(name: string, version: string, signal: AbortSignal): Promise<string> {
    const target = join(this.#folder, 'pulled')
    const oci = this.#url.startsWith('oci://')
    if (!oci) await this.#update(signal)
    const chart = oci ? this.#url : `${alias}/${name}`
    await this.#run(
      [
        'pull',
        ...this.#flags,
        ...this.#pullFlags,
        `--version=${version}`,
        '--untar',
        `--untardir=${target}`,
        '--',
        chart,
      ],
      signal,
    )
    return join(target, name)
  }

  /** All versions of a chart in a repository, as its index has them. @throws EngineError when it is not there */
  async versions(name: string, signal: AbortSignal): Promise<string[]> {
    await this.#update(signal)
    // Helm searches in lower case, with a vertical tab after the name.
    const pattern = `${alias}/${name.toLowerCase().replaceAll(/[^\w-]/g, '\\$&')}\\v`
    const args = ['search', 'repo', ...this.#flags, '--regexp', '--versions', '--devel', '--output=json', '--', pattern]
    const found = JSON.parse(await this.#run(args, signal)) as { name: string; version: string }[]
    const versions = found.filter(it => it.name === `${alias}/${name}`).map(it => it.version)
    if (versions.length === 0) throw new EngineError(`helm chart ${name} not found in Repo index`)
    return versions
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #update(signal: AbortSignal): Promise<void> {
    const { version } = await this.#options.tools.get('helm', signal)
    // Helm 4 fails by itself when an index cannot be had.
    const failing = version[0] < 4 ? ['--fail-on-repo-update-fail'] : []
    await this.#run(['repo', 'update', ...failing, ...this.#flags, '--', alias], signal).catch(error => {
      const reason =
        error instanceof ToolError ? /Unable to get an update[^:]*"[\s\S]*?\):\s*([^\n]+)/.exec(error.output) : null
      throw reason === null ? error : within(shown(this.#url), new EngineError(reason[1]?.trim() ?? ''))
    })
  }

  async #run(args: readonly string[], signal: AbortSignal): Promise<string> {
    const tool = await this.#options.tools.get('helm', signal)
    const home = join(this.#folder, 'home')
    const env = toolEnvironment(this.#options.environment, {
      HOME: home,
      HELM_NO_PLUGINS: '1',
      HELM_CONFIG_HOME: home,
      HELM_DATA_HOME: home,
      HELM_CACHE_HOME: join(this.#folder, 'cache'),
    })
    return (await runTool(tool.path, args, { env, signal })).stdout
  }
}

/** A URL without what may be a password in it. */
function shown(url: string): string {
  return url.replace(/\/\/[^/@]*@/, '//***@')
}

/** A `repositories.yaml` with the one repository (helm.sh/docs/helm/helm_repo_add). */
async function repositoryFlags(folder: string, url: string, found: ChartCredential): Promise<string[]> {
  const entry: JsonObject = {
    name: alias,
    url,
    username: found.username ?? '',
    password: found.password ?? '',
    caFile: found.caFile ?? '',
    certFile: found.certFile ?? '',
    keyFile: found.keyFile ?? '',
    insecure_skip_tls_verify: found.insecureSkipTlsVerify === true,
    pass_credentials_all: found.passCredentialsAll === true,
  }
  const file = join(folder, 'repositories.yaml')
  await writeFile(file, writeYaml({ apiVersion: '', generated: '0001-01-01T00:00:00Z', repositories: [entry] }), {
    mode: 0o600,
  })
  return [`--repository-config=${file}`, `--repository-cache=${join(folder, 'cache', 'repository')}`]
}

/** A registry configuration in Docker's form, and what of the transport is no secret as flags. */
async function registryFlags(
  folder: string,
  url: string,
  { credential, environment }: RemoteOptions,
  signal: AbortSignal,
) {
  const named = /^oci:\/\/([^/]*)/.exec(url)?.[1] ?? ''
  const hub = /^(?:docker\.io|index\.docker\.io|registry-1\.docker\.io)$/.test(named)
  const host = hub ? 'registry-1.docker.io' : named
  const found = await withStoredLogin(credential(url), host, registryConfigFiles(environment), environment, signal)
  const file = join(folder, 'registry.json')
  await writeFile(file, JSON.stringify({ auths: { [hub ? dockerHub : host]: loginEntry(found) } }), { mode: 0o600 })
  return [
    `--registry-config=${file}`,
    ...(found.plainHttp === true ? ['--plain-http'] : []),
    ...(found.insecureSkipTlsVerify === true ? ['--insecure-skip-tls-verify'] : []),
    ...(found.caFile === undefined ? [] : [`--ca-file=${found.caFile}`]),
    ...(found.certFile === undefined ? [] : [`--cert-file=${found.certFile}`]),
    ...(found.keyFile === undefined ? [] : [`--key-file=${found.keyFile}`]),
  ]
}

/** A login as Docker's configuration has it. */
function loginEntry({ username, password = '', token, identityToken }: RegistryCredential): Record<string, string> {
  return {
    ...(username === undefined ? {} : { auth: Buffer.from(`${username}:${password}`).toString('base64') }),
    ...(token === undefined ? {} : { registrytoken: token }),
    ...(identityToken === undefined ? {} : { identitytoken: identityToken }),
  }
}
