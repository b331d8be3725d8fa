import { parentPort, workerData } from 'node:worker_threads'
import { Environment, fromHost, HostFunction, HostObject, JinjaError } from '../../../src/jinja/index.ts'
import { confinedReader, kluctlExtensions } from '../../../src/jinja/kluctl/index.ts'
import { bombPayloads } from './bombs.ts'
import { escapePayloads } from './escapes.ts'

/** What a payload did: `stopped` with an error of ours, `printed` within bounds, or `escaped`. */
export interface Verdict {
  readonly payload: string
  readonly verdict: 'stopped' | 'printed' | 'escaped' | 'foreign error'
  readonly detail: string
}

const { folder } = workerData as { folder: string }
const outputBytes = 256 * 1024
const budget = { steps: 300_000, outputBytes, depth: 100, valueBytes: 1024 * 1024 }

// Whoever reads a property of a host prototype for a template trips one of these.
let tripped = ''
for (const prototype of [Object, Array, String, Number, Boolean, Function, Map, Set, RegExp, Uint8Array, BigInt]) {
  Object.defineProperty(prototype.prototype, 'canary', {
    get: () => {
      tripped = prototype.name
      return 'CANARY'
    },
    set: () => {
      tripped = `${prototype.name} (set)`
    },
  })
}
const secret = Object.assign(new HostObject('Thing', new Map([['name', 'visible']])), { private: 'CANARY' })
const intrinsics = [Object, Array, String, Function, Map].map(one => one.prototype)
const shape = () => intrinsics.map(one => Reflect.ownKeys(one).map(String).join()).join('|')
const before = shape()

const kluctl = kluctlExtensions({
  searchPath: [`${folder}/project`],
  readFile: confinedReader({ within: [`${folder}/project`] }),
  latestCommit: () => '0'.repeat(40),
  timeZone: 'UTC',
})
const environment = new Environment({
  ...kluctl,
  undefined: 'default',
  extensions: ['do', 'loopcontrols'],
  budget,
  globals: new Map([
    ...kluctl.globals,
    ['host_object', secret],
    ['host_function', new HostFunction('host_function', (_, args) => args.length)],
    ['data', fromHost({ a: [1, { b: 2 }], secretive: null })],
  ]),
})

/** Text that only a look into JavaScript or the file system can give. */
const evidence = /CANARY|native code|\[object |=>|class extends|ENOENT|root:.*:0:0|TOPSECRET|VE9QU0VDUkVU/

function judge(payload: string): Verdict {
  tripped = ''
  const verdict = run(payload)
  if (tripped !== '') return { ...verdict, verdict: 'escaped', detail: `read from ${tripped}.prototype` }
  if (shape() !== before) return { ...verdict, verdict: 'escaped', detail: 'changed a prototype' }
  return verdict
}

function run(payload: string): Verdict {
  try {
    const output = environment.fromString(payload, undefined).render({})
    if (evidence.test(output)) return { payload, verdict: 'escaped', detail: output.slice(0, 200) }
    if (Buffer.byteLength(output) > outputBytes) return { payload, verdict: 'escaped', detail: 'too much output' }
    return { payload, verdict: 'printed', detail: output.slice(0, 80) }
  } catch (error) {
    if (!(error instanceof JinjaError)) {
      return { payload, verdict: 'foreign error', detail: error instanceof Error ? (error.stack ?? '') : String(error) }
    }
    if (evidence.test(error.message)) return { payload, verdict: 'escaped', detail: error.message }
    return { payload, verdict: 'stopped', detail: `${error.pythonType}: ${error.message.slice(0, 100)}` }
  }
}

for (const payload of [...escapePayloads(), ...bombPayloads()]) {
  parentPort?.postMessage({ start: payload })
  parentPort?.postMessage({ verdict: judge(payload) })
}
parentPort?.postMessage({ done: true })
