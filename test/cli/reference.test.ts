import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { referencePath, referenceText } from '../../src/cli/reference.ts'
import { packageFile } from '../../src/util/package-files.ts'

it('the reference in docs is what npm run generate makes of the schemas', () => {
  expect(readFileSync(packageFile(referencePath), 'utf8')).toBe(referenceText())
})
