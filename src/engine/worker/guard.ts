import dgram from 'node:dgram'
import dns from 'node:dns'
import net from 'node:net'
import { RefusedError } from '../errors.ts'

/**
 * Closes the network to this process's own code. Where the system lets us, the worker has no network at all; this
 * holds where it does not. Programs that it starts are given nothing to load from the network either.
 */
export function closeNetwork(): void {
  const refuse = () => {
    throw new RefusedError('an untrusted project has no network')
  }
  net.Socket.prototype.connect = refuse
  net.Server.prototype.listen = refuse
  dgram.Socket.prototype.bind = refuse
  dgram.Socket.prototype.send = refuse
  dgram.Socket.prototype.connect = refuse
  Object.assign(dns, { lookup: refuse, resolve: refuse })
  Object.assign(dns.promises, { lookup: refuse, resolve: refuse })
}
