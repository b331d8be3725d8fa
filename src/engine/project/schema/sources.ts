import { z } from 'zod'
import { messageOf } from '../../../util/errors.ts'
import { parseRepositoryUrl } from '../../../util/repository-url.ts'
import { goString, requiredString, struct } from './go.ts'

/** A ref of a Git repository: exactly one field. */
export const gitRef = struct({
  branch: goString.optional(),
  tag: goString.optional(),
  commit: goString.optional(),
}).superRefine((ref, context) => {
  const set = Object.values(ref).filter(value => value !== undefined && value !== '')
  if (set.length === 0) context.addIssue({ code: 'custom', message: 'either branch, tag or commit must be set' })
  if (set.length > 1) context.addIssue({ code: 'custom', message: 'only one of the ref fields can be set' })
})

/** URL of a Git repository; folders of this machine are refused, as kluctl does. */
export const gitUrl = requiredString.superRefine((url, context) => {
  const message = gitUrlProblem(url)
  if (message !== undefined) context.addIssue({ code: 'custom', message })
})

function gitUrlProblem(url: string): string | undefined {
  try {
    const { protocol } = parseRepositoryUrl(url)
    return protocol === 'file' ? `file:// protocol is not supported: ${url}` : undefined
  } catch (error) {
    return messageOf(error).replace(/^url: /, '')
  }
}

const subDir = goString.optional().superRefine((path, context) => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused.
  if (path?.split('/').some(part => /[\\:*?"<>|^[\]\x00-\x1f]/.test(part)) === true) {
    context.addIssue({ code: 'custom', message: `'${path}' is not a valid subdirectory path` })
  }
})

/** `git:` of a deployment item: an URL, or an URL with ref and folder. */
export const gitProject = z.preprocess(
  value => (typeof value === 'string' ? { url: value } : value),
  struct({ url: gitUrl, ref: gitRef.optional(), subDir }),
)

/** `oci:` of a deployment item. */
export const ociProject = struct({
  url: requiredString,
  ref: struct({ tag: goString.optional(), digest: goString.optional() }).optional(),
  subDir,
})
