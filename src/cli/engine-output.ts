import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { writeJson } from '../engine/json.ts'
import type { Json } from '../engine/values.ts'
import { writeYaml } from '../engine/yaml.ts'
import type { Io } from './io.ts'

/** `--output` of the engine's commands: `json` or `yaml`, alone for standard output or with `=file`; or just a file. */
export const outputHelp = 'json, yaml, json=<file>, yaml=<file> or a file for YAML; - is standard output'

/** Writes a value to all outputs, to standard output as YAML without any. Files are replaced only when whole. */
export async function writeOutputs(io: Io, outputs: readonly string[], value: Json): Promise<void> {
  for (const output of outputs.length === 0 ? ['yaml'] : outputs) {
    const { format, file } = parse(output)
    await writeText(io, file, format === 'json' ? `${writeJson(value, 2)}\n` : writeYaml(value))
  }
}

/** Writes a text to all outputs, to standard output without any. */
export async function writeTexts(io: Io, outputs: readonly string[], text: string): Promise<void> {
  for (const output of outputs.length === 0 ? ['-'] : outputs) await writeText(io, parse(output).file, text)
}

/** Writes a text to a file, which is replaced only when whole; to standard output without one. */
export async function writeText(io: Io, file: string | undefined, text: string): Promise<void> {
  if (file === undefined || file === '-') {
    io.stdout.write(text)
    return
  }
  const path = resolve(file)
  await mkdir(dirname(path), { recursive: true })
  const fresh = `${path}.${process.pid}.tmp`
  try {
    await writeFile(fresh, text, { mode: 0o600 })
    await rename(fresh, path)
  } finally {
    await rm(fresh, { force: true })
  }
}

function parse(output: string): { format: 'json' | 'yaml'; file: string | undefined } {
  const [, format, file] = /^(json|yaml)(?:=(.*))?$/.exec(output) ?? []
  return format === undefined ? { format: 'yaml', file: output } : { format: format as 'json' | 'yaml', file }
}
