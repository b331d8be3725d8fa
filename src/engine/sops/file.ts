import { createHash, timingSafeEqual } from 'node:crypto'
import { RE2JS } from 're2js'
import { messageOf } from '../../util/errors.ts'
import { EngineError } from '../errors.ts'
import type { Metadata } from './metadata.ts'
import { decryptValue, looksEncrypted, type Plain } from './value.ts'

/** A value of a file in its place. */
export interface Leaf {
  /** Keys that lead to it; lists add none. */
  readonly path: readonly string[]
  /** The value as it stands in the file. */
  readonly plain: Plain
}

/** A file that is encrypted with SOPS, taken apart. */
export interface EncryptedFile {
  /** As the file has it, unchecked. */
  readonly metadata: unknown
  /** Visits every value in the order of the file and puts what the visitor gives in its place; then all comments. */
  replace(value: (leaf: Leaf) => Plain, comment: (text: string, path: readonly string[]) => string | undefined): void
  /** The file without its metadata. */
  write(): Uint8Array
}

/** SHA-256 of `sops`: makes MACs over encrypted values only differ from those over all. */
const onlyEncrypted = createHash('sha256').update('sops').digest()

/**
 * Decrypts a file's values in place. With `checkMac` its MAC must fit.
 * @throws EngineError with the path of the value that does not fit, never with a value
 */
export function decryptFile(file: EncryptedFile, metadata: Metadata, key: Uint8Array, checkMac: boolean): Uint8Array {
  const digest = createHash('sha512')
  const isEncrypted = rules(metadata)
  if (metadata.mac_only_encrypted) digest.update(onlyEncrypted)
  const value = ({ path, plain }: Leaf): Plain => {
    const encrypted = isEncrypted(path, plain)
    const result = encrypted ? open(plain, key, path) : plain
    if (encrypted || !metadata.mac_only_encrypted) digest.update(result.bytes)
    return result
  }
  file.replace(value, (text, path) => openComment(text, key, path))
  if (checkMac) verify(metadata, key, digest.digest('hex').toUpperCase())
  return file.write()
}

function open(plain: Plain, key: Uint8Array, path: readonly string[]): Plain {
  try {
    if (plain.type !== 'str') throw new EngineError('the value is not encrypted, though the rules of the file say so')
    return decryptValue(plain.bytes.toString('utf8'), key, `${path.join(':')}:`)
  } catch (error) {
    throw new EngineError(`cannot decrypt ${path.join('.')}: ${messageOf(error)}`)
  }
}

/** A comment belongs to the map or list around it, which readers of YAML do not all see alike. */
function openComment(text: string, key: Uint8Array, path: readonly string[]): string | undefined {
  if (!looksEncrypted(text)) return undefined
  for (let length = path.length; length >= 0; length--) {
    try {
      return decryptValue(text, key, `${path.slice(0, length).join(':')}:`).bytes.toString('utf8')
    } catch (error) {
      if (!(error instanceof EngineError)) throw error
    }
  }
  return undefined
}

/** Which values the file's rules want encrypted. */
function rules(metadata: Metadata): (path: readonly string[], plain: Plain) => boolean {
  const { unencrypted_suffix, encrypted_suffix, unencrypted_regex, encrypted_regex } = metadata
  const byComment = metadata.unencrypted_comment_regex !== '' || metadata.encrypted_comment_regex !== ''
  // Where a comment decides, the value itself shows whether it was encrypted.
  if (byComment) return (_, plain) => plain.type === 'str' && looksEncrypted(plain.bytes.toString('utf8'))
  if (encrypted_suffix !== '') return path => path.some(key => key.endsWith(encrypted_suffix))
  if (encrypted_regex !== '') return matches(encrypted_regex)
  if (unencrypted_regex !== '') {
    const plainPath = matches(unencrypted_regex)
    return path => !plainPath(path)
  }
  const suffix = unencrypted_suffix === '' ? '_unencrypted' : unencrypted_suffix
  return path => !path.some(key => key.endsWith(suffix))
}

function matches(expression: string): (path: readonly string[]) => boolean {
  // RE2 is what SOPS matches with, and it cannot be made to run for long.
  const pattern = RE2JS.compile(expression)
  return path => path.some(key => pattern.matcher(key).find())
}

function verify(metadata: Metadata, key: Uint8Array, digest: string): void {
  const found = Buffer.from(digest)
  const expected = openMac(metadata, key)
  if (expected.length === found.length && timingSafeEqual(expected, found)) return
  throw new EngineError(
    'its MAC does not fit: the file was changed after it was encrypted. Templates in values that are not encrypted ' +
      'change it too, unless the file has mac_only_encrypted: true',
  )
}

function openMac(metadata: Metadata, key: Uint8Array): Buffer {
  try {
    return decryptValue(metadata.mac, key, metadata.lastmodified).bytes
  } catch (error) {
    throw new EngineError(`its MAC cannot be decrypted: ${messageOf(error)}`)
  }
}
