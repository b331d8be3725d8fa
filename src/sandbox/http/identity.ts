import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { User } from '../api.ts'
import { StatusError } from '../errors.ts'

const admin: User = { username: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] }

/** What a token says. */
interface Claims {
  sub: string
  exp: number
  uid?: string
}

/** Issues and reads tokens of ServiceAccounts. */
export class Tokens {
  readonly #key = randomBytes(32)
  readonly #now: () => number

  /** @param now milliseconds since the epoch */
  constructor(now: () => number) {
    this.#now = now
  }

  /** A token in the shape of a JWT, valid for `seconds`. */
  issue(namespace: string, name: string, uid: string, seconds: number, audiences: readonly string[]): string {
    const issued = Math.floor(this.#now() / 1000)
    const claims = {
      aud: audiences,
      exp: issued + seconds,
      iat: issued,
      iss: 'https://kubernetes.default.svc',
      sub: `system:serviceaccount:${namespace}:${name}`,
      uid,
      'kubernetes.io': { namespace, serviceaccount: { name, uid } },
    }
    const content = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`
    return `${content}.${this.#sign(content)}`
  }

  /** Whose token it is; undefined for one that is not ours or has expired. */
  read(token: string): User | undefined {
    const [header, payload, signature] = token.split('.')
    if (header === undefined || payload === undefined || signature === undefined) return undefined
    const expected = Buffer.from(this.#sign(`${header}.${payload}`))
    const given = Buffer.from(signature)
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Claims
    if (claims.exp * 1000 <= this.#now()) return undefined
    return { ...accountUser(claims.sub), ...(claims.uid === undefined ? {} : { uid: claims.uid }) }
  }

  #sign(content: string): string {
    return createHmac('sha256', this.#key).update(content).digest('base64url')
  }
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function accountUser(username: string): User {
  const [, , namespace = ''] = username.split(':')
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated']
  return { username, groups }
}

/**
 * Who a request is from: the holder of its token, an administrator without one, or whom it impersonates.
 * @throws StatusError (401) for a token that is not ours
 */
export function identify(headers: IncomingHttpHeaders, tokens: Tokens): User {
  const impersonated = headers['impersonate-user']
  if (typeof impersonated === 'string' && impersonated !== '') {
    const asked = [headers['impersonate-group'] ?? []].flat().flatMap(one => one.split(',').map(part => part.trim()))
    if (impersonated.startsWith('system:serviceaccount:') && asked.length === 0) return accountUser(impersonated)
    return { username: impersonated, groups: [...asked, 'system:authenticated'] }
  }
  const { authorization } = headers
  if (authorization === undefined) return admin
  const token = /^Bearer (\S+)$/i.exec(authorization)?.[1]
  const user = token === undefined ? undefined : tokens.read(token)
  if (!user) throw new StatusError(401, 'Unauthorized', 'Unauthorized')
  return user
}
