import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parse } from 'yaml'
import type { KubeObject } from '../../src/kube/types.ts'
import { adminClient, uniqueNamespace } from '../harness/cluster.ts'

const folder = join(import.meta.dirname, '../../config/samples')

it.each(readdirSync(folder))('the API server takes the sample %s with strict validation', async file => {
  const sample = parse(readFileSync(join(folder, file), 'utf8')) as KubeObject
  const namespace = await uniqueNamespace('sample')
  const object = { ...sample, metadata: { ...sample.metadata, namespace } }
  const stored = await adminClient().create<KubeObject>(object, { fieldValidation: 'Strict' })
  expect(stored.metadata.uid).toBeDefined()
  expect(stored.spec).toMatchObject(sample.spec as object)
})
