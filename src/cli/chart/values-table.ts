import { parse } from 'yaml'

/** A value of the chart, as its README shows it. */
export interface ChartValue {
  /** Such as `image.tag`. */
  path: string
  /** The default. */
  value: unknown
  /** The comment above it. */
  meaning: string
}

/**
 * The values of a values.yaml in its order: each key with a comment, unless keys below it have comments of their own.
 * A blank line parts a comment from what follows it.
 */
export function chartValues(text: string): ChartValue[] {
  const all = commented(text)
  const values: unknown = parse(text)
  return all
    .filter(({ path }) => !all.some(other => other.path.startsWith(`${path}.`)))
    .map(({ path, meaning }) => ({ path, meaning, value: at(values, path) }))
}

function commented(text: string): { path: string; meaning: string }[] {
  const found: { path: string; meaning: string }[] = []
  const above: { indent: number; key: string }[] = []
  let comment: string[] = []
  for (const line of text.split('\n')) {
    const words = /^ *# ?(.*)$/.exec(line)?.[1]
    if (words !== undefined) {
      comment.push(words)
      continue
    }
    const [, space = '', key] = /^( *)([A-Za-z][\w.-]*):/.exec(line) ?? []
    if (key !== undefined) {
      while ((above.at(-1)?.indent ?? -1) >= space.length) above.pop()
      above.push({ indent: space.length, key })
      if (comment.length > 0) found.push({ path: above.map(one => one.key).join('.'), meaning: comment.join(' ') })
    }
    comment = []
  }
  return found
}

function at(values: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown> | null)?.[key], values)
}

/** A table in Markdown. */
export function valuesTable(text: string): string {
  const cell = (content: string) => content.replaceAll('|', '\\|')
  const rows = chartValues(text).map(
    ({ path, value, meaning }) => `| \`${path}\` | \`${cell(JSON.stringify(value))}\` | ${cell(meaning)} |`,
  )
  return ['| value | default | meaning |', '|---|---|---|', ...rows].join('\n')
}
