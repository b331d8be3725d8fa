import { FilterArgumentError } from '../errors.ts'
import { needInt } from '../methods/define.ts'
import { textOf } from '../python/compare.ts'
import { str } from '../python/display.ts'
import { escapeText, escapeValue } from '../python/escape.ts'
import { counted, isIterable, toList } from '../python/iterate.ts'
import { quote } from '../python/quote.ts'
import { splitSpace } from '../python/space.ts'
import { truth } from '../python/truth.ts'
import { unpack } from '../python/unpack.ts'
import type { Context, FilterFunction } from '../runtime/context.ts'
import { Markup, PyDict, PyTuple, type Value } from '../values.ts'
import { filter } from './define.ts'

const unreserved = /[A-Za-z0-9_.~-]/

function quoteUrl(context: Context, value: Value, inQuery: boolean): string {
  const text = str(context, value)
  context.allocate(text.length * 3)
  let quoted = ''
  for (const byte of new TextEncoder().encode(text)) {
    const char = String.fromCharCode(byte)
    if (unreserved.test(char) || (char === '/' && !inQuery)) quoted += char
    else if (char === ' ' && inQuery) quoted += '+'
    else quoted += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return quoted
}

function urlEncode(context: Context, value: Value): string {
  if (textOf(value) !== undefined || !isIterable(value)) return quoteUrl(context, value, false)
  const pairs =
    value instanceof PyDict ? Array.from(value.entries(), pair => new PyTuple(pair)) : counted(context, value)
  const parts: string[] = []
  for (const pair of pairs) {
    const [key = null, item = null] = unpack(context, pair, 2)
    parts.push(`${quoteUrl(context, key, true)}=${quoteUrl(context, item, true)}`)
  }
  return parts.join('&')
}

const host = String.raw`(?:(?:https?://|www\.)(?:(?:[\w%-]+\.)+)?(?:[a-z]{2,63}|xn--[\w%]{2,59})`
const known = String.raw`|(?:[\w%-]{2,63}\.)+(?:com|net|int|edu|gov|org|info|mil)`
const address = String.raw`|https?://(?:\d{1,3}(?:\.\d{1,3}){3}|\[(?:[\da-f]{0,4}:){2}(?:[\da-f]{0,4}:?){1,6}\]))`
const link = new RegExp(String.raw`^${host}${known}${address}(?::\d{1,5})?(?:[/?#]\S*)?$`, 'i')
const email = /^\S+@\w[\w.-]*\.\w+$/
const opening = /^(?:[(<]|&lt;)+/
const pairs = [
  ['(', ')'],
  ['<', '>'],
  ['&lt;', '&gt;'],
] as const

interface LinkStyle {
  readonly limit: number | undefined
  readonly attributes: string
  readonly schemes: readonly string[]
}

function occurrences(text: string, part: string): number {
  return text.split(part).length - 1
}

function closingLength(text: string): number {
  let end = text.length
  while (end > 0) {
    if (text.endsWith('&gt;', end)) end -= 4
    else if (')>.,\n'.includes(text.charAt(end - 1))) end--
    else break
  }
  return text.length - end
}

/** Takes brackets and stops off a word's ends; a bracket that closes one inside stays. */
function undress(word: string): { head: string; middle: string; tail: string } {
  const head = opening.exec(word)?.[0] ?? ''
  const bare = word.slice(head.length)
  const cut = bare.length - closingLength(bare)
  let middle = bare.slice(0, cut)
  let tail = bare.slice(cut)
  for (const [start, end] of pairs) {
    const opened = occurrences(middle, start)
    if (opened <= occurrences(middle, end)) continue
    for (let times = Math.min(opened, occurrences(tail, end)); times > 0; times--) {
      const at = tail.indexOf(end) + end.length
      middle += tail.slice(0, at)
      tail = tail.slice(at)
    }
  }
  return { head, middle, tail }
}

function linked(middle: string, style: LinkStyle): string {
  const { limit, attributes } = style
  const shown = limit !== undefined && middle.length > limit ? `${middle.slice(0, limit)}...` : middle
  if (middle.length < 10_000 && link.test(middle)) {
    const target = /^https?:\/\//.test(middle) ? middle : `https://${middle}`
    return `<a href="${target}"${attributes}>${shown}</a>`
  }
  if (middle.startsWith('mailto:') && email.test(middle.slice(7))) return `<a href="${middle}">${middle.slice(7)}</a>`
  if (middle.includes('@') && !middle.startsWith('www.') && !middle.includes(':') && email.test(middle)) {
    return `<a href="mailto:${middle}">${middle}</a>`
  }
  const scheme = style.schemes.find(prefix => middle !== prefix && middle.startsWith(prefix))
  return scheme === undefined ? middle : `<a href="${middle}"${attributes}>${middle}</a>`
}

function urlize(context: Context, text: string, style: LinkStyle): string {
  context.allocate(text.length * 2)
  return text
    .split(/(\s+)/)
    .map((part, index) => {
      if (index % 2 === 1 || part === '') return part
      context.step(1)
      const { head, middle, tail } = undress(part)
      return head + linked(middle, style) + tail
    })
    .join('')
}

function schemesOf(context: Context, value: Value): string[] {
  const { urlizeExtraSchemes } = context.engine.policies
  const schemes = value === null ? [...urlizeExtraSchemes] : toList(context, value).map(item => str(context, item))
  for (const scheme of schemes) {
    if (!/^[\w.+-]{2,}:\/{0,2}$/.test(scheme)) {
      throw new FilterArgumentError(`${quote(scheme)} is not a valid URI scheme prefix.`)
    }
  }
  return schemes
}

const urlizeFilter = filter(
  'do_urlize',
  ['trim_url_limit', 'nofollow', 'target', 'rel', 'extra_schemes'],
  0,
  (context, value, limit = null, nofollow = false, target = null, rel = null, schemes = null) => {
    const { policies } = context.engine
    const rels = new Set(rel === null ? [] : splitSpace(str(context, rel)))
    if (truth(nofollow)) rels.add('nofollow')
    for (const part of splitSpace(policies.urlizeRel ?? '')) rels.add(part)
    const relText = [...rels].sort().join(' ')
    const targetText = target === null ? (policies.urlizeTarget ?? '') : str(context, target)
    let attributes = relText === '' ? '' : ` rel="${escapeText(relText)}"`
    if (targetText !== '') attributes += ` target="${escapeText(targetText)}"`
    const style = {
      limit: limit === null ? undefined : needInt(limit),
      attributes,
      schemes: schemesOf(context, schemes),
    }
    const result = urlize(context, escapeValue(context, value), style)
    return context.autoescape ? new Markup(result) : result
  },
)

/** Filters on URLs. */
export const urlFilters: readonly [string, FilterFunction][] = [
  ['urlencode', filter('do_urlencode', [], 0, urlEncode)],
  ['urlize', urlizeFilter],
]
