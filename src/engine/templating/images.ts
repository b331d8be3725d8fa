import { HostFunction, PyDict, toHost, type Value } from '../../jinja/index.ts'
import { callable } from '../../jinja/kluctl/arguments.ts'
import { str } from '../../jinja/python/display.ts'

/** What stands in a rendered file where `images.get_image` was called, until fixed images are put in. */
export const imagePlaceholder = /XXXXXbegin_get_image_([A-Za-z0-9+/=]*)_end_get_imageXXXXX/g

/** The image that a placeholder asks for. @throws SyntaxError */
export function imageOf(packed: string): string {
  const asked = JSON.parse(Buffer.from(packed, 'base64').toString('utf8')) as { image: unknown }
  return typeof asked.image === 'string' ? asked.image : JSON.stringify(asked.image)
}

const getImage = callable('get_image', ['image'], (_, [image = null]) => {
  const packed = Buffer.from(JSON.stringify({ image: toHost(image) })).toString('base64')
  return `XXXXXbegin_get_image_${packed}_end_get_imageXXXXX`
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
