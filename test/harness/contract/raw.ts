import { execFile } from 'node:child_process'
import { kubectlBinary } from '../binaries.ts'
import type { ContractWorld } from './world.ts'

/** What became of a request that our own client has no verb for. */
export interface RawAnswer {
  /** The reason of a refusal, such as `Conflict`; empty when all went well. */
  reason: string
  body: unknown
}

/** Sends what kubectl sends: DELETE for `delete`, PUT for `replace`; a path may have a query. */
export async function sendRaw(
  world: ContractWorld,
  verb: 'get' | 'delete' | 'replace',
  path: string,
  body?: unknown,
): Promise<RawAnswer> {
  const program = await kubectlBinary()
  const input = verb === 'replace' ? ['-f', '-'] : []
  return new Promise(resolve => {
    const args = ['--kubeconfig', world.kubeconfig(), verb, '--raw', path, ...input]
    const child = execFile(program, args, { timeout: 60_000 }, (error, stdout, stderr) => {
      const reason = error ? (/\((\w+)\)/.exec(stderr)?.[1] ?? (/ is invalid: /.test(stderr) ? 'Invalid' : stderr)) : ''
      resolve({ reason, body: error ? undefined : JSON.parse(stdout) })
    })
    child.stdin?.end(body === undefined ? '' : JSON.stringify(body))
  })
}
