import type { Json } from './values.ts'

// In Node since version 21, but not yet in TypeScript's library.
const { rawJSON: rawJson } = JSON as unknown as { rawJSON: (text: string) => unknown }

/** A value as JSON, with whole integers: bigint has no other place in it. `indent` gives lines; default is none. */
export function writeJson(value: Json, indent?: number): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? rawJson(String(part)) : part), indent)
}
