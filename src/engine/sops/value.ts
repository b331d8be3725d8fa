import { createDecipheriv } from 'node:crypto'
import { EngineError } from '../errors.ts'

/** Types of values as SOPS names them. */
export type PlainType = 'str' | 'int' | 'float' | 'bool' | 'bytes' | 'time' | 'comment'

/** A value with the bytes that SOPS digests for it. */
export interface Plain {
  readonly type: PlainType
  readonly bytes: Buffer
}

const form = /^ENC\[AES256_GCM,data:(.+),iv:(.+),tag:(.+),type:(.+)\]/
const types: readonly string[] = ['str', 'int', 'float', 'bool', 'bytes', 'time', 'comment'] satisfies PlainType[]

/** Whether a text has the form of an encrypted value. */
export function looksEncrypted(text: string): boolean {
  return form.test(text)
}

/**
 * Decrypts one value (AES-256-GCM, its path as additional data). An empty text stands for itself.
 * @throws EngineError when the key is wrong, or the value was changed or moved
 */
export function decryptValue(text: string, key: Uint8Array, additional: string): Plain {
  if (text === '') return { type: 'str', bytes: Buffer.alloc(0) }
  const parts = form.exec(text)
  if (parts === null) throw new EngineError('the value is not encrypted, though the rules of the file say so')
  const [data, iv, tag] = parts.slice(1, 4).map(part => Buffer.from(part, 'base64')) as [Buffer, Buffer, Buffer]
  const type = parts[4] as PlainType
  if (!types.includes(type)) throw new EngineError(`unknown type of an encrypted value: ${type}`)
  if (tag.length !== 16 || iv.length === 0) throw new EngineError('the encrypted value is damaged')
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: 16 })
    decipher.setAAD(Buffer.from(additional))
    decipher.setAuthTag(tag)
    return canonical(type, Buffer.concat([decipher.update(data), decipher.final()]))
  } catch (error) {
    if (error instanceof EngineError) throw error
    throw new EngineError('the value was changed or moved after it was encrypted')
  }
}

/** Older versions and other implementations of SOPS wrote numbers and booleans differently. */
function canonical(type: PlainType, bytes: Buffer): Plain {
  const text = bytes.toString('latin1')
  if (type === 'int') {
    if (!/^[+-]?\d+$/.test(text)) throw new EngineError('an encrypted integer is not one')
    return { type, bytes: Buffer.from(BigInt(text.replace(/^\+/, '')).toString()) }
  }
  if (type === 'float') return { type, bytes: Buffer.from(decimal(Number(text))) }
  if (type === 'bool') {
    const isTrue = /^(?:1|t|true)$/i.test(text)
    if (!isTrue && !/^(?:0|f|false)$/i.test(text)) throw new EngineError('an encrypted boolean is not one')
    return { type, bytes: Buffer.from(isTrue ? 'True' : 'False') }
  }
  return { type, bytes }
}

/** A number with the fewest digits that tell it from others, never with an exponent (Go's format `f`, precision -1). */
export function decimal(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  if (value === Number.NEGATIVE_INFINITY) return '-Inf'
  if (Object.is(value, -0)) return '-0'
  const [mantissa = '', exponent = ''] = String(value).split('e')
  if (exponent === '') return mantissa
  const [, sign = '', whole = '', fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(mantissa) ?? []
  const digits = whole + fraction
  const point = whole.length + Number(exponent)
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  return (
    sign + (point >= digits.length ? digits.padEnd(point, '0') : `${digits.slice(0, point)}.${digits.slice(point)}`)
  )
}
