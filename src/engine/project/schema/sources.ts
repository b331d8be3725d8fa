import { z } from 'zod'
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

/** URL of a Git repository; `file://` is refused, as kluctl does. */
export const gitUrl = requiredString.pipe(
  z.string().refine(url => !url.startsWith('file:'), { error: 'file:// protocol is not supported' }),
)

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
