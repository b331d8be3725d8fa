import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { packageFile } from '../../src/cli/package-files.ts'
import { referencePath, referenceText } from '../../src/cli/reference.ts'

it('the reference in docs is what npm run generate makes of the schemas', () => {
  expect(readFileSync(packageFile(referencePath), 'utf8')).toBe(referenceText())
})
