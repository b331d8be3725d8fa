// npm run build: few files instead of a thousand, as most of a short command's time would be finding and reading them.
import { readFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const root = new URL('../../', import.meta.url)

/** Packages that every command needs; the others are read from `node_modules` where they are used. */
const inlined = new Set(['commander', 'json-p3', 'picomatch', 're2js', 'tar-stream', 'undici', 'yaml', 'zod'])

/** Bundles the command line and the worker that renders into a folder, which is emptied before. */
export async function bundle(folder: string): Promise<void> {
  const { dependencies } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
    dependencies: Record<string, string>
  }
  const outside = Object.keys(dependencies).filter(name => !inlined.has(name))
  const source = (path: string) => fileURLToPath(new URL(`src/${path}`, root))
  const built = await rolldown({
    input: { 'cli/main': source('cli/main.ts'), 'engine/worker/main': source('engine/worker/main.ts') },
    platform: 'node',
    // The oldest Node that `engines` promises has no `await using`.
    transform: { target: 'node22.20' },
    external: id => outside.some(name => id === name || id.startsWith(`${name}/`)),
  })
  rmSync(folder, { recursive: true, force: true })
  await built.write({
    dir: folder,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name]-[hash].js',
    // Less to keep in memory; names stay, so that a stack trace can be read.
    minify: { compress: true, mangle: false, codegen: true },
    // Licences ask that their notices go along.
    comments: { legal: true },
  })
  await built.close()
}

if (import.meta.main) {
  await bundle(fileURLToPath(new URL('dist', root)))
}
