import { EngineError } from '../errors.ts'

/**
 * Puts a secret together from its parts (Shamir's secret sharing over GF(2^8) with the polynomial of AES): the last
 * byte of a part is its x, the others are the y of each byte of the secret.
 * @throws EngineError when the parts do not belong together
 */
export function combine(parts: readonly Uint8Array[]): Uint8Array {
  const length = parts[0]?.length ?? 0
  const xs = parts.map(part => part[length - 1] ?? 0)
  if (length < 2 || parts.some(part => part.length !== length) || new Set(xs).size !== xs.length || xs.includes(0)) {
    throw new EngineError('the parts of the data key do not belong together')
  }
  return Uint8Array.from({ length: length - 1 }, (_, index) =>
    xs.reduce((sum, x, at) => sum ^ multiply(parts[at]?.[index] ?? 0, weight(x, xs)), 0),
  )
}

/** The Lagrange basis of x at 0; in this field minus is plus. */
function weight(x: number, xs: readonly number[]): number {
  return xs.filter(other => other !== x).reduce((product, other) => multiply(product, divide(other, x ^ other)), 1)
}

function multiply(a: number, b: number): number {
  let product = 0
  for (let bit = 0; bit < 8; bit++) {
    if ((b >> bit) & 1) product ^= a << bit
  }
  for (let bit = 14; bit >= 8; bit--) if ((product >> bit) & 1) product ^= 0x11b << (bit - 8)
  return product
}

function divide(a: number, b: number): number {
  // b^254 is the inverse of b.
  let inverse = 1
  for (let step = 0; step < 254; step++) inverse = multiply(inverse, b)
  return multiply(a, inverse)
}
