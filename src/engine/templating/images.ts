import { HostFunction, PyDict, toHost, type Value } from '../../jinja/index.ts'
import { callable } from '../../jinja/kluctl/arguments.ts'
import { str } from '../../jinja/python/display.ts'

const frame = 'X'.repeat(5)
const opening = `${frame}begin_get_image_`
const closing = `_end_get_image${frame}`

/** What stands in a rendered file where `images.get_image` was called, until fixed images are put in; as in kluctl. */
export const imagePlaceholder = new RegExp(`${opening}([A-Za-z0-9+/=]*)${closing}`, 'g')

/** Whether a text may hold one: a quick look. */
export function holdsPlaceholder(text: string): boolean {
  return text.includes(opening)
}

/** The image that a placeholder asks for. @throws SyntaxError */
export function imageOf(packed: string): string {
  const asked = JSON.parse(Buffer.from(packed, 'base64').toString('utf8')) as { image: unknown }
  return typeof asked.image === 'string' ? asked.image : JSON.stringify(asked.image)
}

const getImage = callable('get_image', ['image'], (_, [image = null]) => {
  const packed = Buffer.from(JSON.stringify({ image: toHost(image) })).toString('base64')
  return `${opening}${packed}${closing}`
})

const version = {
  semver: callable('semver', ['allow_no_nums?'], (context, [allow = false]) => {
    return `semver(allow_no_nums=${str(context, allow)})`
  }),
  prefix: callable('prefix', ['s', 'suffix?'], (context, [start = null, suffix]) => {
    const end = suffix === undefined || suffix === null ? '' : `, suffix="${str(context, suffix)}"`
    return `prefix("${str(context, start)}"${end})`
  }),
  number: callable('number', [], () => 'number()'),
  regex: callable('regex', ['r'], (context, [pattern = null]) => `regex("${str(context, pattern)}")`),
}

/** kluctl's `images` and `version`; they hide variables of these names, as in kluctl. */
export function imageGlobals(): [string, Value][] {
  const functions = Object.entries(version).map(([name, call]): [Value, Value] => [name, new HostFunction(name, call)])
  return [
    ['images', PyDict.of([['get_image', new HostFunction('get_image', getImage)]])],
    ['version', PyDict.of(functions)],
  ]
}
