import { InvalidInputError } from '../util/errors.ts'
import { repositoryKeys } from '../util/repository-url.ts'

export { parseRepositoryUrl, type RepositoryUrl, repositoryKeys } from '../util/repository-url.ts'

/** Keys of all URLs that can be read; others are left out. */
export function keysOf(urls: readonly (string | null | undefined)[]): string[] {
  const keys = urls.flatMap(url => {
    try {
      return url ? repositoryKeys(url) : []
    } catch (error) {
      if (error instanceof InvalidInputError) return []
      throw error
    }
  })
  return [...new Set(keys)]
}
