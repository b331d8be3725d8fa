/** How ready an object is, and why not. */
export interface Readiness {
  readonly ready: boolean
  /** Why it is not, or will never be. */
  readonly errors: readonly string[]
  readonly warnings: readonly string[]
  /** Its annotations `validate-result.kluctl.io/…`: whole name and value. */
  readonly results: readonly { readonly annotation: string; readonly message: string }[]
}
