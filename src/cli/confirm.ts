import { CliError, exitCodes } from './exit.ts'
import { type Io, printable } from './io.ts'

/** Answers of a person at the terminal, or of what is piped in; nothing is read before it is asked for. */
export class Questions {
  readonly #io: Io
  #lines: AsyncGenerator<string, void> | undefined

  constructor(io: Io) {
    this.#io = io
  }

  /**
   * Asks a yes-or-no question on standard error; an empty answer is no, one that is neither is asked for again.
   * Undefined when there is nobody to answer: standard input is at its end.
   */
  async ask(question: string): Promise<boolean | undefined> {
    for (;;) {
      this.#io.stderr.write(`${printable(question)} (y/N) `)
      const answer = await this.#answer()
      if (answer === undefined) return undefined
      const text = answer.trim().toLowerCase()
      if (['y', 'yes'].includes(text)) return true
      if (['', 'n', 'no'].includes(text)) return false
      this.#io.stderr.write('Please type yes or no and then press enter!\n')
    }
  }

  /** The same, where doing without an answer would be wrong. @throws CliError when there is nobody to answer */
  async confirm(question: string): Promise<boolean> {
    const answer = await this.ask(question)
    if (answer !== undefined) return answer
    this.#io.stderr.write('\n')
    const hint = 'say --yes to go on without being asked'
    throw new CliError('nobody is there to answer: standard input is at its end', exitCodes.failure, hint)
  }

  async #answer(): Promise<string | undefined> {
    this.#lines ??= linesOf(this.#io.stdin)
    const { signal } = this.#io
    const aborted = Promise.withResolvers<never>()
    const onAbort = () => aborted.reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      signal.throwIfAborted()
      const { value, done } = await Promise.race([this.#lines.next(), aborted.promise])
      return done === true ? undefined : (value as string)
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }
}

async function* linesOf(input: Io['stdin']): AsyncGenerator<string, void> {
  let rest = ''
  for await (const chunk of input) {
    const lines = (rest + String(chunk)).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  if (rest !== '') yield rest
}
