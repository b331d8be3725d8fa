/** What a second template engine further down (kluctl renders args' users again) would read as code. */
const markers = /\{[{%#]/

/** Control characters, and the line and paragraph separators that some parsers take for line breaks. */
const controls = /[\p{Cc}\u2028\u2029]/u
const controlsExceptLayout = /[^\P{Cc}\n\t]|[\u2028\u2029]/u

/** Why a text from outside must not get into what is deployed, or undefined when it may. */
export function unsafeText(text: string, allow: { layout?: boolean } = {}): string | undefined {
  const marker = markers.exec(text)
  if (marker) return `it holds ${marker[0]}, which would be rendered as a template`
  if ((allow.layout ? controlsExceptLayout : controls).test(text)) return 'it holds control characters'
  return text.isWellFormed() ? undefined : 'it is not valid Unicode'
}

/** How often template markers occur in a text. */
export function countMarkers(text: string): number {
  return text.match(/\{[{%#]/g)?.length ?? 0
}
