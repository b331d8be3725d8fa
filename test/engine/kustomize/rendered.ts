import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { Tools } from '../../../src/engine/binaries/index.ts'
import { allowAll, silentProgress } from '../../../src/engine/host.ts'
import type { RenderedItem } from '../../../src/engine/item.ts'
import { createKustomize, type KustomizeOptions } from '../../../src/engine/kustomize/index.ts'

/** Programs unpacked once for all tests of this machine. */
export const toolCache = join(tmpdir(), 'offshoot-test-tools')
export const tools = new Tools({ cacheFolder: toolCache, environment: {}, progress: silentProgress })

/** A folder that is gone after the test. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'offshoot-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Files by path below a folder. */
export function place(folder: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
}

/** A rendered item of these files; its folder is `item`, and paths with `../` lie beside it. */
export function renderedItem(
  files: Readonly<Record<string, string | Uint8Array>>,
  more: Partial<RenderedItem> = {},
): RenderedItem {
  const root = scratch()
  place(join(root, 'item'), files)
  return {
    source: { root, id: '' },
    path: 'item',
    renderedPath: 'item',
    renderedRoot: root,
    renderedFolder: join(root, 'item'),
    recursive: false,
    ...more,
  }
}

/** Kustomize with nothing encrypted and everything allowed. */
export function kustomize(more: Partial<KustomizeOptions> = {}) {
  return createKustomize({
    tools,
    helm: { outputPath: async () => 'helm-rendered.yaml' },
    sops: { decrypt: async () => undefined },
    policy: allowAll,
    environment: { PATH: process.env.PATH },
    cacheFolder: scratch(),
    ...more,
  })
}
