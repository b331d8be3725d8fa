import type { Shown } from '../engine/commands/on-cluster.ts'
import { EngineError } from '../engine/errors.ts'
import { writeJson } from '../engine/json.ts'
import { compactObjects } from '../engine/result/compact.ts'
import { plain } from '../engine/result/summary.ts'
import {
  commandResultText,
  type Meaning,
  type Printed,
  type TextOptions,
  validateResultText,
} from '../engine/result/text.ts'
import type { CommandResult, ValidateResult } from '../engine/result/types.ts'
import type { JsonObject } from '../engine/values.ts'
import { writeYaml } from '../engine/yaml.ts'
import type { ResultOptions } from './command-flags.ts'
import { writeText } from './engine-output.ts'
import { hasColour, type Io, type TextStream } from './io.ts'

/** Where a result goes, and how it is written. */
export interface ResultOutput {
  readonly format: 'text' | 'yaml' | 'json'
  /** Undefined and `-` are standard output. */
  readonly file: string | undefined
}

/** Reads `format` and `format=file`. @throws EngineError for a format that does not exist */
export function parseOutputs(outputs: readonly string[]): ResultOutput[] {
  if (outputs.length === 0) return [{ format: 'text', file: undefined }]
  return outputs.map(output => {
    const [, format, file] = /^([^=]*)(?:=(.*))?$/s.exec(output) ?? []
    if (format !== 'text' && format !== 'yaml' && format !== 'json') {
      throw new EngineError(`invalid format: ${output}; expected text, yaml or json, or one of them with =<file>`)
    }
    return { format, file: file === '-' ? undefined : file }
  })
}

/** The version of a result that the flags ask for. */
export function asAsked<T>(shown: Shown<T>, { obfuscate }: ResultOptions): T {
  return obfuscate ? shown.masked : shown.plain
}

/** Writes a command's result to its outputs. */
export async function writeResult(
  io: Io,
  options: ResultOptions & { color: boolean },
  result: CommandResult,
): Promise<void> {
  for (const { format, file } of parseOutputs(options.outputFormat)) {
    const text = () => commandResultText(result, textOptions(io, io.stdout, options, file))
    await writeText(io, file, format === 'text' ? text() : dataText(format, compacted(result)))
  }
}

/** Writes what a deployment would change: to standard output, or to standard error where data is expected there. */
export function writePreview(io: Io, options: ResultOptions & { color: boolean }, preview: Printed): void {
  const isData = parseOutputs(options.outputFormat).some(({ format, file }) => format !== 'text' && file === undefined)
  const stream = isData ? io.stderr : io.stdout
  stream.write(commandResultText(preview, textOptions(io, stream, options, undefined)))
}

/** Writes a validation's result to its outputs. */
export async function writeValidation(
  io: Io,
  options: { output: string[]; color: boolean },
  result: ValidateResult,
): Promise<void> {
  for (const { format, file } of parseOutputs(options.output)) {
    const text = () => validateResultText(result, textOptions(io, io.stdout, options, file))
    await writeText(io, file, format === 'text' ? text() : dataText(format, plain(result)))
  }
}

/** A result in the form that kluctl prints it: objects compacted. */
function compacted({ objects, ...rest }: CommandResult): JsonObject {
  return plain({ ...rest, ...(objects.length === 0 ? {} : { compactedObjects: compactObjects(objects) }) })
}

function dataText(format: 'yaml' | 'json', value: JsonObject): string {
  return format === 'yaml' ? writeYaml(value) : `${writeJson(value, 2)}\n`
}

const codes: Record<Meaning, string> = {
  heading: '1',
  added: '32',
  removed: '31',
  place: '36',
  warning: '33',
  error: '31',
}

function textOptions(
  io: Io,
  stream: TextStream,
  { color, shortOutput }: { color: boolean; shortOutput?: boolean },
  file: string | undefined,
): TextOptions {
  const coloured = color && file === undefined && hasColour(stream, io.env)
  return {
    width: widthOf(stream, io.env),
    short: shortOutput,
    ...(coloured ? { paint: (text: string, meaning: Meaning) => `\x1b[${codes[meaning]}m${text}\x1b[0m` } : {}),
  }
}

/** `COLUMNS`, else the terminal's; where there is none, as in CI's logs, enough for most paths and values. */
function widthOf({ columns }: TextStream, { COLUMNS: said = '' }: Io['env']): number {
  const width = /^\d{1,4}$/.test(said) ? Number(said) : columns
  return width === undefined || width === 0 ? 120 : width
}
