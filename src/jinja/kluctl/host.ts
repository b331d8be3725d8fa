/** What kluctl's functions need of the world; everything they touch comes through here. */
export interface KluctlHost {
  /** Folders that templates are searched in, absolute with `/`, the nearest first. */
  readonly searchPath: readonly string[]
  /**
   * The bytes of a regular file, or undefined when there is none. The name is absolute and normalised, but the host
   * must confine it (see `confinedReader`): a link in a folder of the search path may lead anywhere.
   */
  readFile(path: string): Uint8Array | undefined
  /** The commit that last changed a file, as 40 hex digits; throws when the file is in no repository. */
  latestCommit?(path: string): string
  /** Where `debug_print` writes a line. */
  debugPrint?(line: string): void
  /** Milliseconds since 1970, for `time.now()`. Default `Date.now`. */
  now?(): number
  /** IANA name of the zone of `time.now()`; default that of the process. */
  readonly timeZone?: string
}
