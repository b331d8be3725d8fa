import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runTool, ToolError, type Tools, toolEnvironment } from '../binaries/index.ts'
import { EngineError, within } from '../errors.ts'
import { isObject, type JsonObject } from '../values.ts'
import { readYamlObject, writeYaml } from '../yaml.ts'
import { type ChartCredential, helmConfigCredential, registryConfigFiles } from './credentials.ts'

/** What talking to repositories and registries needs. */
export interface RemoteOptions {
  readonly tools: Pick<Tools, 'get'>
  readonly environment: Readonly<Record<string, string | undefined>>
  /** By flags and variables; what Helm and Docker stored is found besides. */
  readonly credential: (url: string) => ChartCredential | undefined
}

const alias = 'charts'

/**
 * A session of the real Helm with one repository or registry. Its credentials stand in files that only we can read,
 * never in arguments or variables, and are gone when it is disposed of.
 */
export class HelmSession implements AsyncDisposable {
  readonly #folder: string
  readonly #options: RemoteOptions
  readonly #url: string
  readonly #flags: readonly string[]

  private constructor(folder: string, options: RemoteOptions, url: string, flags: readonly string[]) {
    this.#folder = folder
    this.#options = options
    this.#url = url
    this.#flags = flags
  }

  /** Prepares a session. @throws EngineError */
  static async open(url: string, options: RemoteOptions): Promise<HelmSession> {
    const folder = await mkdtemp(join(tmpdir(), 'offshoot-helm-'))
    try {
      const oci = url.startsWith('oci://')
      const flags = oci ? await registryFlags(folder, url, options) : await repositoryFlags(folder, url, options)
      return new HelmSession(folder, options, url, flags)
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
      ['pull', ...this.#flags, `--version=${version}`, '--untar', `--untardir=${target}`, '--', chart],
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
async function repositoryFlags(folder: string, url: string, { credential, environment }: RemoteOptions) {
  const found = credential(url) ?? (await helmConfigCredential(url, environment)) ?? {}
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
async function registryFlags(folder: string, url: string, { credential, environment }: RemoteOptions) {
  const found = credential(url) ?? {}
  const host = /^oci:\/\/([^/]*)/.exec(url)?.[1] ?? ''
  const file = join(folder, 'registry.json')
  await writeFile(file, JSON.stringify(await registryConfig(host, found, environment)), { mode: 0o600 })
  return [
    `--registry-config=${file}`,
    ...(found.plainHttp === true ? ['--plain-http'] : []),
    ...(found.insecureSkipTlsVerify === true ? ['--insecure-skip-tls-verify'] : []),
    ...(found.caFile === undefined ? [] : [`--ca-file=${found.caFile}`]),
    ...(found.certFile === undefined ? [] : [`--cert-file=${found.certFile}`]),
    ...(found.keyFile === undefined ? [] : [`--key-file=${found.keyFile}`]),
  ]
}

async function registryConfig(
  host: string,
  found: ChartCredential,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<unknown> {
  if (found.username !== undefined || found.token !== undefined || found.identityToken !== undefined) {
    const auth = Buffer.from(`${found.username ?? ''}:${found.password ?? ''}`).toString('base64')
    return {
      auths: {
        [host]: {
          ...(found.username === undefined ? {} : { auth }),
          ...(found.token === undefined ? {} : { registrytoken: found.token }),
          ...(found.identityToken === undefined ? {} : { identitytoken: found.identityToken }),
        },
      },
    }
  }
  for (const file of registryConfigFiles(environment)) {
    const text = await readFile(file, 'utf8').catch(() => undefined)
    const config = text === undefined ? undefined : readYamlObject(text)
    const helpers = config?.credHelpers
    const known = isObject(config?.auths) && host in config.auths
    if (known || config?.credsStore !== undefined || (isObject(helpers) && host in helpers)) return config
  }
  return {}
}
