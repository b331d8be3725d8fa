import { InvalidInputError } from '../../util/errors.ts'

/**
 * The base of a REST API, without a slash at the end.
 * @throws InvalidInputError unless it is HTTPS, or HTTP without a credential or on this machine.
 */
export function checkApiUrl(text: string, hasCredential: boolean): string {
  const base = URL.parse(text)
  const loopback = base !== null && /^(127(\.[0-9]+){3}|localhost|\[::1\])$/.test(base.hostname)
  if (base === null || (base.protocol !== 'https:' && base.protocol !== 'http:') || base.username || base.password) {
    throw new InvalidInputError([{ path: 'apiUrl', message: 'expected the base of a REST API: https://host/path' }])
  }
  if (base.protocol === 'http:' && hasCredential && !loopback) {
    throw new InvalidInputError([{ path: 'apiUrl', message: 'expected https: a credential is not sent unencrypted' }])
  }
  return base.href.replace(/\/+$/, '')
}
