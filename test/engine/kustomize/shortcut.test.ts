import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { text } from '../../../src/engine/item.ts'
import { buildInProcess } from '../../../src/engine/kustomize/shortcut.ts'
import { isObject, type JsonObject, sortKeys } from '../../../src/engine/values.ts'
import { readYamlObject } from '../../../src/engine/yaml.ts'
import { manifest, manifestText } from './manifest-text.ts'
import { kustomize, renderedItem, scratch } from './rendered.ts'

const never = new AbortController().signal

test('what is built in process is what the real Kustomize builds, object by object', async () => {
  const cacheFolder = scratch()
  let taken = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(manifest, { minLength: 12, maxLength: 24 }),
      fc.option(fc.constant('elsewhere')),
      async (parts, namespace) => {
        const files = Object.fromEntries(parts.map((part, index) => [`f${index}.yaml`, manifestText(part, index)]))
        // Each manifest alone, so that one doubtful scalar does not hide the others.
        const quick = new Map<string, JsonObject>()
        for (const [name, text] of Object.entries(files)) {
          const item = renderedItem({ [name]: text })
          const kustomization = readYamlObject(
            `resources: [${name}]\n${namespace === null ? '' : `namespace: ${namespace}\n`}`,
          )
          const built = await buildInProcess(item.renderedFolder, kustomization, file => readFile(file))
          if (built !== undefined) for (const object of built) quick.set(name, object)
        }
        taken += quick.size
        if (quick.size === 0) return
        const accepted = Object.fromEntries([...quick.keys()].map(name => [name, files[name] ?? '']))
        const item = renderedItem(accepted, namespace === null ? {} : { overrideNamespace: namespace })
        const { objects } = await kustomize({ shortcut: false, cacheFolder }).build(item, never)
        const byName = (object: JsonObject) => (isObject(object.metadata) ? text(object.metadata.name) : '')
        for (const [name, object] of quick) {
          const real = objects.find(it => byName(it) === byName(object))
          expect(JSON.stringify(sortKeys(object)), `${join(item.renderedFolder, name)}\n${files[name]}`).toBe(
            JSON.stringify(sortKeys(real ?? {})),
          )
        }
      },
    ),
    { numRuns: Number(process.env.SHORTCUT_RUNS ?? 120) },
  )
  expect(taken).toBeGreaterThan(100)
}, 120_000)
