import { isIP } from 'node:net'
import { OffshootError } from '../util/errors.ts'

/** Where a server listens. Port 0 lets the system choose. */
export interface ListenAddress {
  host: string
  port: number
}

/** `host:port`, with brackets around an IPv6 address. */
export function formatAddress({ host, port }: ListenAddress): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`
}

/**
 * An address from `host:port`, `:port` (every interface) or `[::1]:port`.
 * @throws OffshootError for anything else
 */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):([0-9]{1,5})$/.exec(text)
  const port = Number(match?.[3])
  const v6 = match?.[1]
  if (!match || port > 65_535 || (v6 !== undefined && isIP(v6) !== 6)) {
    throw new OffshootError(`expected host:port, such as 127.0.0.1:8080, not ${JSON.stringify(text)}`)
  }
  return { host: v6 ?? (match[2] === '' || match[2] === undefined ? '0.0.0.0' : match[2]), port }
}
