// npm run build: few files instead of a thousand, as most of a short command's time would be finding and reading them.
import { readFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const root = new URL('../../', import.meta.url)

/** Packages that every command needs; the others are read from `node_modules` where they are used. */
const inlined = new Set(['commander', 'json-p3', 'picomatch', 're2js', 'tar-stream', 'undici', 'yaml', 'zod'])

/** Bundles the command line and the worker that renders into a folder. */
export async function bundle(folder: string): Promise<void> {
  const { dependencies } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
    dependencies: Record<string, string>
  }
  const outside = Object.keys(dependencies).filter(name => !inlined.has(name))
  const source = (path: string) => fileURLToPath(new URL(`src/${path}`, root))
  await using built = await rolldown({
    input: { 'cli/main': source('cli/main.ts'), 'engine/worker/main': source('engine/worker/main.ts') },
    platform: 'node',
    external: id => outside.some(name => id === name || id.startsWith(`${name}/`)),
  })
  await built.write({
    dir: folder,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name]-[hash].js',
    // Less to keep in memory; names stay, so that a stack trace can be read.
    minify: { compress: true, mangle: false, codegen: true },
  })
}

if (import.meta.main) {
  const dist = fileURLToPath(new URL('dist', root))
  rmSync(dist, { recursive: true, force: true })
  await bundle(dist)
}
