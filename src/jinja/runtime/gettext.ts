import { formatPercent } from '../format/percent.ts'
import { bindArguments } from '../methods/method.ts'
import type { EnvironmentOptions, Translations } from '../options.ts'
import { callValue } from '../python/call.ts'
import { str } from '../python/display.ts'
import { type ContextView, HostFunction, type Kwargs, Markup, noKwargs, PyDict, type Value } from '../values.ts'
import type { Context } from './context.ts'

interface Message {
  readonly text: string
  /** Variables that the message may use besides those it is called with. */
  readonly extra: readonly (readonly [string, Value])[]
}

type Translate = (context: Context, args: readonly Value[]) => Message

/** gettext's functions by name, with the parameters that precede the variables. */
function functions(translations: Translations): [string, readonly string[], Translate][] {
  const plural = (one: string, many: string, count: Value) => translations.ngettext(one, many, count)
  const contextPlural = (at: string, one: string, many: string, count: Value) =>
    translations.npgettext?.(at, one, many, count) ?? plural(one, many, count)
  const text = (context: Context, value: Value | undefined) => str(context, value ?? null)
  return [
    [
      'gettext',
      ['message'],
      (context, [message]) => {
        const source = text(context, message)
        return { text: translations.gettext(source), extra: [] }
      },
    ],
    [
      'ngettext',
      ['singular', 'plural', 'n'],
      (context, [one, many, count = null]) => ({
        text: plural(text(context, one), text(context, many), count),
        extra: [['num', count]],
      }),
    ],
    [
      'pgettext',
      ['context', 'message'],
      (context, [at = null, message]) => {
        const source = text(context, message)
        const found = translations.pgettext?.(text(context, at), source) ?? translations.gettext(source)
        return { text: found, extra: [['context', at]] }
      },
    ],
    [
      'npgettext',
      ['context', 'singular', 'plural', 'n'],
      (context, [at = null, one, many, count = null]) => ({
        text: contextPlural(text(context, at), text(context, one), text(context, many), count),
        extra: [
          ['context', at],
          ['num', count],
        ],
      }),
    ],
  ]
}

/** `gettext` and its kin, and `_` as their short name. */
export function gettextGlobals(options: EnvironmentOptions): Map<string, Value> {
  const globals = new Map<string, Value>()
  const { translations } = options
  globals.set('_', new HostFunction('_', alias))
  if (translations === undefined) return globals
  for (const [name, params, translate] of functions(translations)) {
    globals.set(
      name,
      options.newstyleGettext === true ? newstyle(name, params, translate) : plain(name, params, translate),
    )
  }
  return globals
}

function alias(view: ContextView, args: Value[], kwargs: Kwargs): Value {
  const context = view as Context
  return callValue(context, context.lookup('gettext') ?? context.undefinedName('gettext'), args, kwargs)
}

function plain(name: string, params: readonly string[], translate: Translate): HostFunction {
  return new HostFunction(name, (view, args, kwargs) => {
    const bound = bindArguments(name, params, params.length, args, kwargs)
    const { text } = translate(
      view as Context,
      bound.map(value => value ?? null),
    )
    // What translates keeps the kind of string that it is given, as Python's catalogues do for a message they lack.
    return bound.some(value => value instanceof Markup) ? new Markup(text) : text
  })
}

function newstyle(name: string, params: readonly string[], translate: Translate): HostFunction {
  return new HostFunction(name, (view, args, kwargs) => {
    const context = view as Context
    const bound = bindArguments(name, params, params.length, args, noKwargs)
    const { text, extra } = translate(
      context,
      bound.map(value => value ?? null),
    )
    const variables = PyDict.of([...extra, ...kwargs])
    const filled = formatPercent(context, text, variables, context.autoescape)
    return context.autoescape ? new Markup(filled) : filled
  })
}
