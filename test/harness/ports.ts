import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'

/**
 * Below the ports that Linux and macOS hand out to connections: a server that is ended and started again finds its
 * port free, however many connections were opened in the meantime.
 */
const [lowest, highest] = [15_000, 32_000]
const maxAttempts = 100
/** Handed out before: whoever has one may not listen there yet. */
const given = new Set<number>()

/** Ports of 127.0.0.1 that were free a moment ago, each once. */
export async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = []
  for (let attempt = 0; servers.length < count; attempt++) {
    if (attempt === maxAttempts) throw new Error(`no free port in ${maxAttempts} attempts`)
    const port = randomInt(lowest, highest)
    if (given.has(port)) continue
    given.add(port)
    const server = await listen(port)
    if (server !== undefined) servers.push(server)
  }
  const ports = servers.map(server => (server.address() as { port: number }).port)
  await Promise.all(servers.map(server => once(server.close(), 'close')))
  return ports
}

async function listen(port: number): Promise<Server | undefined> {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
    return server
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined
    throw error
  }
}
