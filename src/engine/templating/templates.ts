import { posix } from 'node:path'
import { BudgetError, Environment, JinjaError, type RenderOptions, type Value } from '../../jinja/index.ts'
import { confinedReader, kluctlExtensions } from '../../jinja/kluctl/index.ts'
import { EngineError } from '../errors.ts'
import type { JsonObject } from '../values.ts'
import { imageGlobals } from './images.ts'
import { toTemplate } from './template-values.ts'

/** What templates may reach and use up. */
export interface TemplatesOptions {
  /** Folders that everything read must really lie in, after following links; `allow` adds more. */
  readonly within: readonly string[]
  readonly signal: AbortSignal
  /** Milliseconds since 1970, for `time.now()`. */
  readonly now: () => number
  /** Where `debug_print` writes. */
  readonly debugPrint?: (line: string) => void
  /** See `KluctlHost.latestCommit`. */
  readonly latestCommit?: (path: string) => string
}

/** Room for a template of a real project: GitLab's chart values are 6 MB. */
const budget = { steps: 200_000_000, outputBytes: 256 * 1024 * 1024, valueBytes: 128 * 1024 * 1024, depth: 400 }

/** A file of a project as it is read: absolute path and bytes. */
export interface FoundFile {
  readonly path: string
  readonly content: Uint8Array
}

/**
 * Renders what a project holds. Variables are Jinja2 globals, as in kluctl, so imported macros see them too; they are
 * never changed in place: another map of variables is another set of environments.
 */
export class Templates {
  readonly #options: TemplatesOptions
  readonly #within: string[]
  #read: (path: string) => Uint8Array | undefined
  readonly #environments = new WeakMap<JsonObject, Map<string, Environment>>()
  readonly #globals = new WeakMap<JsonObject, Map<string, Value>>()

  constructor(options: TemplatesOptions) {
    this.#options = options
    this.#within = [...options.within]
    this.#read = confinedReader({ within: this.#within })
  }

  /** Lets files of a folder be read too: the checkout of a repository that the project takes something from. */
  allow(folder: string): void {
    if (this.#within.includes(folder)) return
    this.#within.push(folder)
    this.#read = confinedReader({ within: this.#within })
  }

  /** The bytes of a regular file inside the allowed folders, or undefined. */
  readFile(path: string): Uint8Array | undefined {
    return this.#read(path)
  }

  /** Renders a text. @throws EngineError with place and Python's exception name */
  renderText(text: string, variables: JsonObject, searchPath: readonly string[] = []): string {
    if (!text.includes('{')) return text
    return guarded(undefined, () => this.#environment(variables, searchPath).fromString(text).render({}, this.#run()))
  }

  /** Renders a file's content; without `{` in it the very bytes come back. @throws EngineError */
  renderFile(file: FoundFile, variables: JsonObject, searchPath: readonly string[]): Uint8Array | string {
    if (!file.content.includes(0x7b)) return file.content
    return guarded(file.path, () => {
      const source = decode(file)
      return this.#environment(variables, searchPath).fromString(source, file.path).render({}, this.#run())
    })
  }

  /** Finds a file in the folders of the search path, in order; an absolute path is taken as it is. */
  find(name: string, searchPath: readonly string[]): FoundFile | undefined {
    const candidates = posix.isAbsolute(name) ? [name] : searchPath.map(folder => posix.join(folder, name))
    for (const path of candidates) {
      const content = this.#read(path)
      if (content !== undefined) return { path, content }
    }
    return undefined
  }

  /** Whether a condition of `when` holds: any Jinja2 expression, judged by its truth. @throws EngineError */
  holds(condition: string, variables: JsonObject): boolean {
    if (condition === '' || condition === 'True') return true
    const template = `{% if ${condition} %} True {% else %} False {% endif %}`
    let result: string
    try {
      result = this.renderText(template, variables).trim()
    } catch (error) {
      throw new EngineError(`unable to render conditional '${condition}'`, { cause: error })
    }
    if (result !== '' && result !== 'True' && result !== 'False') {
      throw new EngineError(`unable to evaluate conditional: ${condition}`)
    }
    return result !== 'False'
  }

  #run(): RenderOptions {
    return { signal: this.#options.signal, budget }
  }

  #environment(variables: JsonObject, searchPath: readonly string[]): Environment {
    let known = this.#environments.get(variables)
    if (known === undefined) {
      known = new Map()
      this.#environments.set(variables, known)
    }
    const key = searchPath.join('\0')
    let environment = known.get(key)
    if (environment === undefined) {
      environment = this.#make(variables, searchPath)
      known.set(key, environment)
    }
    return environment
  }

  #make(variables: JsonObject, searchPath: readonly string[]): Environment {
    const { now, debugPrint, latestCommit } = this.#options
    const extensions = kluctlExtensions({
      searchPath,
      readFile: path => this.#read(path),
      now,
      ...(debugPrint === undefined ? {} : { debugPrint }),
      ...(latestCommit === undefined ? {} : { latestCommit }),
    })
    const globals = new Map([...this.#variables(variables), ...extensions.globals, ...imageGlobals()])
    return new Environment({ ...extensions, globals })
  }

  #variables(variables: JsonObject): Map<string, Value> {
    const known = this.#globals.get(variables)
    if (known !== undefined) return known
    const dict = toTemplate(variables)
    const globals = new Map<string, Value>()
    if (isDict(dict)) for (const [key, value] of dict.entries()) if (typeof key === 'string') globals.set(key, value)
    this.#globals.set(variables, globals)
    return globals
  }
}

function isDict(value: Value): value is Value & { entries(): Iterable<[Value, Value]> } {
  return typeof value === 'object' && value !== null && 'entries' in value
}

function decode({ path, content }: FoundFile): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content)
  } catch {
    throw new EngineError(`${path}: UnicodeDecodeError: the file holds '{' but is not UTF-8 text`)
  }
}

/** The work, with what a template raised told as Python tells it: place, line of source, exception. */
function guarded<T>(path: string | undefined, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof JinjaError)) throw error
    if (error.name === 'AbortedError') throw error.cause
    // What Jinja2 says is all there is to say: a cause would be told twice.
    throw new EngineError(describe(error, path))
  }
}

function describe(error: JinjaError, path: string | undefined): string {
  if (error.name === 'TemplateNotFound')
    return `template ${error.message.replace(/^template | not found$/g, '')} not found`
  const kind = error instanceof BudgetError ? 'BudgetError' : error.pythonType
  const message = `${kind}: ${error.message}`
  if (error.line === undefined) return path === undefined ? message : `File "${path}": ${message}`
  const source = error.sourceLine === undefined ? '' : `    ${error.sourceLine.trim()}\n`
  const chain = error.includeChain.map(({ template, line }) => `\n  from "${template ?? '<template>'}", line ${line}`)
  return `File "${error.templateName ?? path ?? '<template>'}", line ${error.line}\n${source}${message}${chain.join('')}`
}
