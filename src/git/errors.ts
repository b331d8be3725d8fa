import { OffshootError } from '../util/errors.ts'

/**
 * Why Git gave no usable answer.
 * - `invalid` a URL, commit, path or tree that is refused; `notFound` the remote has no such commit or ref;
 * - `unauthorized` the remote does not let the credential in; `tooLarge` over a cap;
 * - `unsupported` the server cannot give a part of a history only;
 * - `malformed` output that git does not document; `unavailable` anything else: network, deadline, a broken remote.
 */
export type GitErrorKind =
  | 'invalid'
  | 'notFound'
  | 'unauthorized'
  | 'tooLarge'
  | 'unsupported'
  | 'malformed'
  | 'unavailable'

/** Git did not do what it was asked. Callers branch on `kind`. */
export class GitError extends OffshootError {
  override readonly name = 'GitError'
  readonly kind: GitErrorKind

  constructor(kind: GitErrorKind, message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
  }
}
