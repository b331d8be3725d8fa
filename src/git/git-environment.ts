import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { devNull, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CheckedRemote } from './remote.ts'

/** Variables of this process that git may see: where programs, proxies and certificates are. */
const inherited = [
  'PATH',
  'TMPDIR',
  'HTTPS_PROXY',
  'https_proxy',
  'HTTP_PROXY',
  'http_proxy',
  'NO_PROXY',
  'no_proxy',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'GIT_SSL_CAINFO',
]

const settings: [string, string][] = [
  ['core.hooksPath', devNull],
  ['core.fsmonitor', 'false'],
  ['credential.helper', ''],
  ['fetch.recurseSubmodules', 'false'],
  // What is fetched stays one file, whose size can be seen while it grows.
  ['fetch.unpackLimit', '1'],
  ['gc.auto', '0'],
  ['http.followRedirects', 'false'],
  // Under 1,000 bytes a second for 20 s is a dead connection.
  ['http.lowSpeedLimit', '1000'],
  ['http.lowSpeedTime', '20'],
  ['maintenance.auto', 'false'],
  ['protocol.version', '2'],
]

/** Environment of a git process, to be disposed of when it has ended. */
export interface GitEnvironment extends AsyncDisposable {
  variables: NodeJS.ProcessEnv
}

/**
 * An environment without the machine's configuration, prompts, hooks and helpers. The credential is in variables and
 * files that only this user can read, never in arguments.
 */
export async function gitEnvironment(remote?: CheckedRemote): Promise<GitEnvironment> {
  const { protocol = '', credential = {} } = remote ?? {}
  const needsFiles = protocol === 'ssh' || credential.ca !== undefined
  const folder = needsFiles ? await mkdtemp(join(tmpdir(), 'offshoot-git-')) : undefined
  const dispose = async () => {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true })
  }
  try {
    const variables = { ...bareEnvironment(protocol), ...(await remoteSettings(remote, folder ?? '')) }
    return { variables, [Symbol.asyncDispose]: dispose }
  } catch (error) {
    await dispose()
    throw error
  }
}

function bareEnvironment(protocol: string): NodeJS.ProcessEnv {
  return {
    ...Object.fromEntries(inherited.filter(name => name in process.env).map(name => [name, process.env[name]])),
    HOME: devNull,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: devNull,
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '',
    SSH_ASKPASS: '',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_PROTOCOL_FROM_USER: '0',
    GIT_ALLOW_PROTOCOL: protocol,
  }
}

/** Settings and variables that hold what opens the remote. */
async function remoteSettings(remote: CheckedRemote | undefined, folder: string): Promise<NodeJS.ProcessEnv> {
  const own: [string, string][] = [...settings]
  const variables: NodeJS.ProcessEnv = {}
  if (remote?.protocol === 'ssh') {
    variables.GIT_SSH_COMMAND = await sshCommand(folder, remote)
    variables.GIT_SSH_VARIANT = 'ssh'
    if (remote.credential.agent !== undefined) variables.SSH_AUTH_SOCK = remote.credential.agent
  } else if (remote !== undefined) {
    const header = authorization(remote)
    const { ca } = remote.credential
    if (header !== undefined) own.push([`http.${new URL(remote.url).origin}/.extraHeader`, header])
    if (ca !== undefined) {
      // Not as a setting: the machine's own variable, which git may see, beats those.
      variables.GIT_SSL_CAINFO = join(folder, 'ca.pem')
      await writeFile(variables.GIT_SSL_CAINFO, ca, { mode: 0o600 })
    }
  }
  variables.GIT_CONFIG_COUNT = String(own.length)
  for (const [at, [key, value]] of own.entries()) {
    variables[`GIT_CONFIG_KEY_${at}`] = key
    variables[`GIT_CONFIG_VALUE_${at}`] = value
  }
  return variables
}

function authorization({ credential }: CheckedRemote): string | undefined {
  const password = credential.password ?? credential.token
  if (password === undefined) return undefined
  const user = credential.username ?? 'x-access-token'
  return `Authorization: Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}

/** An `ssh` that reads no configuration, asks nothing, and believes only the hosts that the credential names. */
async function sshCommand(folder: string, { credential }: CheckedRemote): Promise<string> {
  const { identity, otherIdentities = [], knownHosts, agent, anyHost = false } = credential
  const identities = identity === undefined ? otherIdentities : [identity, ...otherIdentities]
  const keys: string[] = []
  for (const [at, key] of identities.entries()) {
    const file = join(folder, `identity-${at}`)
    await writeFile(file, `${key.trimEnd()}\n`, { mode: 0o600 })
    keys.push(`IdentityFile=${file}`)
  }
  const hosts = join(folder, 'known_hosts')
  await writeFile(hosts, `${knownHosts?.trimEnd() ?? ''}\n`, { mode: 0o600 })
  const options = [
    'BatchMode=yes',
    // The keys of the agent count only where there is one.
    `IdentitiesOnly=${agent === undefined ? 'yes' : 'no'}`,
    `StrictHostKeyChecking=${anyHost ? 'no' : 'yes'}`,
    ...keys,
    `UserKnownHostsFile=${anyHost ? devNull : hosts}`,
    `GlobalKnownHostsFile=${devNull}`,
    'ConnectTimeout=20',
    'ForwardAgent=no',
  ]
  return ['ssh', '-F', devNull, ...options.map(option => `-o '${option.replaceAll("'", String.raw`'\''`)}'`)].join(' ')
}
