import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../../../util/errors.ts'
import { runTool } from '../../binaries/index.ts'
import { EngineError } from '../../errors.ts'

/** Environment variables that SOPS itself reads for age. */
type Environment = Readonly<Record<string, string | undefined>>

/** Identities found, and where they were looked for. */
export interface AgeIdentities {
  readonly identities: readonly string[]
  readonly lookedIn: readonly string[]
}

/**
 * Age identities of `SOPS_AGE_KEY`, the file that `SOPS_AGE_KEY_FILE` names, what `SOPS_AGE_KEY_CMD` prints, and SOPS's
 * own key file in the user's configuration folder.
 * @throws EngineError when a file that was named cannot be read, or the command fails
 */
export async function ageIdentities(environment: Environment, signal: AbortSignal): Promise<AgeIdentities> {
  const texts = [environment.SOPS_AGE_KEY ?? '']
  const lookedIn = ['SOPS_AGE_KEY']
  const named = environment.SOPS_AGE_KEY_FILE
  lookedIn.push('SOPS_AGE_KEY_FILE')
  if (named) {
    try {
      texts.push(await readFile(named, 'utf8'))
    } catch (error) {
      throw new EngineError(`SOPS_AGE_KEY_FILE cannot be read: ${messageOf(error)}`)
    }
  }
  const command = environment.SOPS_AGE_KEY_CMD
  if (command) {
    lookedIn.push('SOPS_AGE_KEY_CMD')
    texts.push(await printed(command, environment, signal))
  }
  const own = ownKeyFile(environment)
  if (own !== undefined) {
    lookedIn.push(own)
    texts.push(await readFile(own, 'utf8').catch(absent))
  }
  const lines = texts.flatMap(text => text.split('\n')).map(line => line.trim())
  return { identities: lines.filter(line => line !== '' && !line.startsWith('#')), lookedIn }
}

async function printed(command: string, environment: Environment, signal: AbortSignal): Promise<string> {
  try {
    const env = Object.fromEntries(Object.entries(environment).filter((it): it is [string, string] => !!it[1]))
    const { stdout } = await runTool('/bin/sh', ['-c', command], {
      env,
      signal,
      deadline: 60_000,
      maxBytes: 1024 * 1024,
    })
    return stdout
  } catch (error) {
    signal.throwIfAborted()
    throw new EngineError(`SOPS_AGE_KEY_CMD failed: ${messageOf(error)}`)
  }
}

function ownKeyFile(environment: Environment): string | undefined {
  const { HOME: home, XDG_CONFIG_HOME: config, APPDATA: roaming } = environment
  if (config) return join(config, 'sops/age/keys.txt')
  if (process.platform === 'win32') return roaming ? join(roaming, 'sops/age/keys.txt') : undefined
  if (!home) return undefined
  const folder = process.platform === 'darwin' ? 'Library/Application Support' : '.config'
  return join(home, folder, 'sops/age/keys.txt')
}

function absent(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return ''
  throw error
}

/** Opens an armored age file of SOPS. @throws EngineError when no identity fits */
export async function openAge(armored: string, { identities, lookedIn }: AgeIdentities): Promise<Uint8Array> {
  const native = identities.filter(identity => /^AGE-SECRET-KEY-(?:1|PQ-1)/i.test(identity))
  if (native.length === 0) throw new EngineError(`there is no age key in ${lookedIn.join(', ')}`)
  const { armor, Decrypter } = await import('age-encryption')
  const decrypter = new Decrypter()
  for (const identity of native) {
    try {
      decrypter.addIdentity(identity)
    } catch {
      // The library's words may repeat the key.
      throw new EngineError(`a key in ${lookedIn.join(', ')} is not an age identity`)
    }
  }
  try {
    return await decrypter.decrypt(armor.decode(armored))
  } catch (error) {
    throw new EngineError(`none of the ${native.length} age keys fits: ${messageOf(error)}`)
  }
}
