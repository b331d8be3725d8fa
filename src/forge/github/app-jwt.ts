import { createPrivateKey, type KeyObject, sign } from 'node:crypto'
import type { AppCredential } from '../../util/credential.ts'
import { ForgeError } from '../errors.ts'

/** How long a JWT is used, in seconds. GitHub allows ten minutes from `iat`, which lies a minute back. */
const lifetime = 9 * 60
/** GitHub refuses what was issued in its future: clocks differ. Seconds. */
const allowance = 60

/** A JSON web token by which an App proves who it is; times in milliseconds since the epoch. */
export interface AppJwt {
  token: string
  signedAt: number
  renewAt: number
}

/**
 * Signs a JWT as GitHub asks for ("Generating a JSON Web Token (JWT) for a GitHub App"): RS256, `iat`, `exp`, `iss`.
 * @throws ForgeError `unauthorized` if the key is none
 */
export function signAppJwt(app: AppCredential, now: number): AppJwt {
  const seconds = Math.floor(now / 1000)
  const claims = { iat: seconds - allowance, exp: seconds + lifetime, iss: app.id }
  const text = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}`
  const signature = sign('sha256', Buffer.from(text), readAppKey(app.privateKey)).toString('base64url')
  return { token: `${text}.${signature}`, signedAt: now, renewAt: now + (lifetime - allowance) * 1000 }
}

/** The key in a PEM text. @throws ForgeError `unauthorized` if it is no RSA key; nothing of it is repeated. */
export function readAppKey(pem: string): KeyObject {
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch {
    // The cause could quote the key.
    throw new ForgeError('unauthorized', 'the private key of the GitHub App cannot be read: expected an RSA key as PEM')
  }
  if (key.asymmetricKeyType === 'rsa') return key
  throw new ForgeError('unauthorized', `the private key of the GitHub App is of type ${key.asymmetricKeyType}, not RSA`)
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
