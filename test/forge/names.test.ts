import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkBranchName } from '../../src/forge/github/context.ts'
import { checkPath } from '../../src/git/tree.ts'

const accepted = (check: () => void) => {
  try {
    check()
    return true
  } catch {
    return false
  }
}
/** Strings made of what attacks are made of. */
const name = fc
  .array(fc.constantFrom('a', '.', '..', '/', '-', '%2e', '?', '#', '\\', ' ', '\n', '@{', '.git', 'é', '~'), {
    maxLength: 8,
  })
  .map(parts => parts.join(''))

test('a branch name that is accepted does not change where a request goes', () => {
  fc.assert(
    fc.property(name, branch => {
      fc.pre(accepted(() => checkBranchName(branch)))
      const url = new URL(`https://api.github.com/repos/a/b/branches/${encodeURIComponent(branch)}`)
      expect(url.pathname).toBe(`/repos/a/b/branches/${encodeURIComponent(branch)}`)
      expect(url.search + url.hash).toBe('')
    }),
    { numRuns: 2000 },
  )
})

test('a path that is accepted stays in its folder and out of .git', () => {
  fc.assert(
    fc.property(name, path => {
      fc.pre(accepted(() => checkPath(path)))
      expect(new URL(path.split('/').map(encodeURIComponent).join('/'), 'file:///base/').pathname).toMatch(/^\/base\/./)
      expect(path.toLowerCase().split('/')).not.toContain('.git')
      expect(path.split('/')).not.toContain('..')
      expect(path).not.toMatch(/^\//)
    }),
    { numRuns: 2000 },
  )
})
