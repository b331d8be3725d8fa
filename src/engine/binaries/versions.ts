/** A version's numbers; what follows a `-` or `+` does not matter here. */
export type Version = readonly [number, number, number]

/** The first version in a text such as `v4.1.4+g05fa379` or `v4.2` (a helm built from source), or undefined. */
export function readVersion(text: string): Version | undefined {
  const found = /v?(\d+)\.(\d+)(?:\.(\d+))?/.exec(text)
  return found === null ? undefined : [Number(found[1]), Number(found[2]), Number(found[3] ?? 0)]
}

/** Negative, zero or positive as `a` is older than, equal to or newer than `b`. */
export function compareVersions(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2]
}

/** `1.2.3`. */
export function showVersion(version: Version): string {
  return version.join('.')
}
