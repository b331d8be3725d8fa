import { PythonError } from '../errors.ts'
import type { PyBytes } from '../values.ts'
import { named, needText, positional } from './define.ts'
import type { Method, MethodTable } from './method.ts'

function decode(bytes: Uint8Array, encoding: string, errors: string): string {
  const name = encoding.toLowerCase().replace(/[-_ ]/g, '')
  if (name === 'latin1' || name === 'iso88591') return Buffer.from(bytes).toString('latin1')
  if (name !== 'utf8' && name !== 'ascii') throw new PythonError('LookupError', `unknown encoding: ${encoding}`)
  try {
    const text = new TextDecoder('utf-8', { fatal: errors === 'strict', ignoreBOM: true }).decode(bytes)
    return errors === 'ignore' ? text.replaceAll('\ufffd', '') : text
  } catch (error) {
    throw new PythonError('UnicodeDecodeError', `'utf-8' codec can't decode the bytes`, { cause: error })
  }
}

/** The methods of bytes. */
export const bytesMethods: MethodTable = new Map<string, Method>([
  named('decode', ['encoding', 'errors'], 0, (context, self: PyBytes, encoding = 'utf-8', errors = 'strict') => {
    context.allocate(self.bytes.length)
    return decode(self.bytes, needText('decode()', encoding), needText('decode()', errors))
  }),
  positional('hex', 0, 0, (context, self: PyBytes) => {
    context.allocate(self.bytes.length * 2)
    return Buffer.from(self.bytes).toString('hex')
  }),
])
