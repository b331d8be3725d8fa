import { EngineError } from '../errors.ts'

/** A program that ended with an error or could not be run; the message is in its own words. */
export class ToolError extends EngineError {
  override readonly name = 'ToolError'
  /** Standard output, where some programs tell the reason. */
  readonly output: string

  constructor(message: string, output = '', options?: ErrorOptions) {
    super(message, options)
    this.output = output
  }
}
