import { isScalar, parseDocument } from 'yaml'
import { EngineError } from '../errors.ts'
import type { ChartVersion } from './chart.ts'

/** The text of a `helm-chart.yaml` with another version; comments and everything else stay as they are. */
export function withVersion(text: string, { version, ref }: ChartVersion): string {
  const path = ref === undefined ? ['helmChart', 'chartVersion'] : ['helmChart', 'git', 'ref', 'tag']
  const node = parseDocument(text, { schema: 'failsafe', logLevel: 'silent' }).getIn(path, true)
  const value = version ?? ref?.tag ?? ''
  if (!isScalar(node) || !node.range) throw new EngineError(`${path.join('.')} was not found`)
  const [start, end] = node.range
  const quote =
    /^['"]/.exec(text.slice(start, end))?.[0] ?? (/^[\d.]+$/.test(value) && !/\..*\./.test(value) ? '"' : '')
  return `${text.slice(0, start)}${quote}${value}${quote}${text.slice(end)}`
}
