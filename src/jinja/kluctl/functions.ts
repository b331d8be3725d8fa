import { TemplateRuntimeError, typeError, valueError } from '../errors.ts'
import type { HostFilter } from '../options.ts'
import { str } from '../python/display.ts'
import { typeName } from '../python/types.ts'
import { type ContextView, HostFunction, Markup, PyDict, type Value } from '../values.ts'
import { bind, callable, filter } from './arguments.ts'
import { mergeDict, noAttribute, updateDict } from './dicts.ts'
import { cut, sha256Hex } from './filters.ts'
import type { KluctlHost } from './host.ts'
import { findPath } from './jsonpath.ts'
import { needFile } from './search-path.ts'
import { SimpleTime } from './simple-time.ts'

/** Set while a template is rendered for its hash, so that it may ask for its own. */
const hashing = '__calc_sha256__'
/** What `load_sha256` gives inside such a render. */
const ownHash = '__self_sha256__'

function pathText(value: Value | undefined): string {
  if (typeof value === 'string') return value
  if (value instanceof Markup) return value.text
  throw noAttribute(value ?? null, 'replace')
}

function load(context: ContextView, path: Value | undefined, extra: ReadonlyMap<string, Value>): string {
  const variables = context.getAll()
  for (const [name, value] of extra) variables.set(name, value)
  return context.renderNamed(pathText(path), variables)
}

const loadTemplate = new HostFunction('load_template', (context, args, kwargs) => {
  const { path } = Object.fromEntries([...kwargs].filter(([name]) => name === 'path'))
  const rest = new Map([...kwargs].filter(([name]) => name !== 'path'))
  const [name] = bind('load_template', ['path'], args, path === undefined ? new Map() : new Map([['path', path]]))
  return load(context, name, rest)
})

const loadSha256 = callable('load_sha256', ['path', 'digest_len?'], (context, [path, length]) => {
  if (context.lookup(hashing) !== undefined) return ownHash
  return cut(sha256Hex(context, load(context, path, new Map([[hashing, true]]))), length)
})

function wrap(text: string, width: Value | undefined): string {
  if (width === undefined || width === null || width === 0 || width === false) return text
  if (typeof width !== 'number') throw typeError(`a width is an int, not ${typeName(width)}`)
  if (width < 0) throw valueError(`invalid width ${width} (must be > 0)`)
  const lines: string[] = []
  for (let at = 0; at < text.length; at += width) lines.push(text.slice(at, at + width))
  return lines.join('\n')
}

function loadBase64(host: KluctlHost) {
  return callable('load_base64', ['path', 'width?'], (context, [path, width]) => {
    const { content } = needFile(host, pathText(path), context.templateName ?? null)
    context.allocate(content.length * 2)
    return wrap(Buffer.from(content).toString('base64'), width)
  })
}

function loadLatestGitCommit(host: KluctlHost) {
  return callable('load_latest_git_commit', ['path', 'sha_len?'], (context, [path, length]) => {
    const file = needFile(host, pathText(path), context.templateName ?? null)
    if (host.latestCommit === undefined) {
      throw new TemplateRuntimeError('load_latest_git_commit is not available here')
    }
    return cut(host.latestCommit(file.path), length)
  })
}

const getVar = callable('get_var', ['path', 'default?'], (context, [path = null, fallback = null]) => {
  const all = PyDict.of(context.getAll())
  context.step(all.size)
  for (const one of Array.isArray(path) ? path : [path]) {
    const found = findPath(context, all, one)
    if (found !== undefined) return found
  }
  return fallback
})

function renderText(context: ContextView, template: Value): Value {
  if (typeof template !== 'string' && !(template instanceof Markup)) {
    throw noAttribute(template, 'encode')
  }
  return context.renderSource(typeof template === 'string' ? template : template.text, context.getAll())
}

/** `'…' | render`, which kluctl keeps beside the function of that name. */
export const renderFilter: HostFilter = filter('render', [], (context, value) => renderText(context, value))

function raise(context: ContextView, message: Value): never {
  throw new TemplateRuntimeError(str(context, message), 'TemplateError')
}

function timeFunctions(host: KluctlHost): PyDict {
  // Found out when it is asked for: that takes longer than many a template.
  const zone = () => host.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone
  const now = () => host.now?.() ?? Date.now()
  return PyDict.of([
    [
      'now',
      new HostFunction(
        'now',
        callable('now', [], () => SimpleTime.at(now(), zone(), zone())),
      ),
    ],
    [
      'utcnow',
      new HostFunction(
        'utcnow',
        callable('utcnow', [], () => SimpleTime.at(now(), undefined, zone())),
      ),
    ],
    [
      'parse_iso',
      new HostFunction(
        'parse_iso',
        callable('parse_iso', ['iso_time_str'], (_, [text = null]) => SimpleTime.parse(text, zone())),
      ),
    ],
    ['second', 1_000_000],
    ['minute', 60_000_000],
    ['hour', 3_600_000_000],
  ])
}

/** kluctl's functions and its `time` object, as globals. */
export function globals(host: KluctlHost): Map<string, Value> {
  const functions = [
    ['get_var', getVar],
    ['load_sha256', loadSha256],
    ['load_base64', loadBase64(host)],
    ['load_latest_git_commit', loadLatestGitCommit(host)],
    ['merge_dict', callable('merge_dict', ['a', 'b'], (context, [a = null, b = null]) => mergeDict(context, a, b))],
    ['update_dict', callable('update_dict', ['a', 'b'], (context, [a = null, b = null]) => updateDict(context, a, b))],
    ['raise', callable('raise', ['msg'], (context, [message = null]) => raise(context, message))],
    ['render', callable('render', ['string'], (context, [template = null]) => renderText(context, template))],
    [
      'debug_print',
      callable('debug_print', ['msg'], (context, [message = null]) => {
        host.debugPrint?.(str(context, message))
        return ''
      }),
    ],
  ] as const
  const all = new Map<string, Value>([
    ['load_template', loadTemplate],
    ['time', timeFunctions(host)],
  ])
  for (const [name, call] of functions) all.set(name, new HostFunction(name, call))
  return all
}
