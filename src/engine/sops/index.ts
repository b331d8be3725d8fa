import { messageOf } from '../../util/errors.ts'
import { EngineError } from '../errors.ts'
import type { Sops } from '../item.ts'
import type { RemoteHost } from '../vars/remote/direct.ts'
import { DataKeys, NoKeyError } from './data-key.ts'
import { decryptFile, type EncryptedFile } from './file.ts'
import { openDotenv } from './formats/dotenv.ts'
import { openIni } from './formats/ini.ts'
import { openBinary, openJson } from './formats/json.ts'
import { openYaml } from './formats/yaml.ts'
import { parseMetadata } from './metadata.ts'
import { decryptWith, findSops } from './program.ts'

/** Bytes; what kluctl takes, too. */
const maxFileSize = 5 * 1024 * 1024

/**
 * Decrypts files of SOPS. Keys are looked for where SOPS looks (`SOPS_AGE_KEY`, `SOPS_AGE_KEY_FILE`, its key file,
 * gpg, the clouds' default credentials, `VAULT_TOKEN`), in the environment of the host, and in `SOPS_PGP_KEY` or
 * `SOPS_PGP_KEY_FILE`. Where none fits, a `sops` of the user's own is asked, which knows more kinds of keys. `OFFSHOOT_SOPS_IGNORE_MAC=true` takes files whose MAC does not fit, as kluctl does.
 */
export function createSops(host: RemoteHost): Sops {
  const keys = new DataKeys(host)
  const { environment } = host
  const checkMac = environment.OFFSHOOT_SOPS_IGNORE_MAC !== 'true'
  return {
    async decrypt(content, path, signal) {
      const file = openEncrypted(content, path)
      if (file === undefined) return undefined
      const metadata = parseMetadata(file.metadata)
      try {
        return decryptFile(file, metadata, await keys.open(metadata, signal), checkMac)
      } catch (error) {
        signal.throwIfAborted()
        const program = error instanceof NoKeyError ? await findSops(environment) : undefined
        if (program === undefined) throw error
        return await decryptWith(program, content, path, { environment, checkMac }, signal).catch(other => {
          throw new EngineError(`${messageOf(error)}\n- ${messageOf(other)}`)
        })
      }
    },
  }
}

/** For runs that may not use any key: what is encrypted is an error. */
export const withoutKeys: Sops = {
  decrypt: async (content, path) => {
    if (openEncrypted(content, path) === undefined) return undefined
    throw new EngineError('the file is encrypted with SOPS, and this run has no keys')
  },
}

function openEncrypted(content: Uint8Array, path: string): EncryptedFile | undefined {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
  // Every encrypted file has both: its metadata, and its MAC in this form.
  if (!bytes.includes('sops') || !bytes.includes('ENC[AES256_GCM,')) return undefined
  if (bytes.length > maxFileSize) throw new EngineError(`the encrypted file has more than ${maxFileSize} bytes`)
  const open = formatOf(path)
  try {
    return open(bytes.toString('utf8'))
  } catch (error) {
    if (error instanceof EngineError) throw error
    throw new EngineError(`the encrypted file cannot be read: ${messageOf(error)}`)
  }
}

function formatOf(path: string): (text: string) => EncryptedFile | undefined {
  if (/\.ya?ml$/.test(path)) return openYaml
  if (path.endsWith('.json')) return openJson
  if (path.endsWith('.env')) return openDotenv
  return path.endsWith('.ini') ? openIni : openBinary
}
