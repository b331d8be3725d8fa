import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import { checkProjectFile, maxProjectFileBytes } from '../environment/check-file.ts'
import { formatProblem, InvalidInputError, type Problem } from '../util/errors.ts'
import { type OutputOptions, withOutput } from './cluster.ts'
import { CliError, exitCodes } from './exit.ts'
import { type Io, printable } from './io.ts'
import { printData } from './output.ts'

/** `offshoot project check FILE…`: every mistake of every project, without a cluster; exit code 2 if there is one. */
export function projectCheckCommand(io: Io): Command {
  const command = new Command('check')
    .description('check ReviewProjects in YAML files, without a cluster')
    .argument('<file...>', 'YAML files; - is standard input')
  return withOutput(command).action(async (files: string[], options: OutputOptions) => {
    const checked = await Promise.all(
      files.map(async path => {
        const file = path === '-' ? 'standard input' : path
        return { file, ...checkProjectFile(await read(path, io), file) }
      }),
    )
    const problems = checked.flatMap(({ problems: found }) => found)
    if (options.output === 'table') {
      for (const problem of problems) io.stderr.write(`${printable(formatProblem(problem))}\n`)
      for (const { file, projects } of checked) {
        for (const { metadata } of projects) io.stdout.write(`${file}: ReviewProject ${metadata.name} is valid\n`)
      }
    } else {
      const valid = checked.flatMap(({ projects }) => projects.map(({ metadata }) => metadata.name))
      printData(io, options.output, { valid, problems })
    }
    if (problems.length > 0) {
      const count = problems.length === 1 ? 'one mistake' : `${problems.length} mistakes`
      throw new CliError(`${count} found`, exitCodes.usage)
    }
  })
}

async function read(file: string, io: Io): Promise<string> {
  if (file === '-') return readAll(io.stdin)
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    const message = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : 'cannot be read'
    throw new InvalidInputError([{ path: '', message, file } satisfies Problem], { cause })
  }
}

async function readAll(stream: AsyncIterable<Uint8Array | string>): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    chunks.push(bytes)
    // The check itself refuses what is too long; no need to read it to its end.
    if (size > maxProjectFileBytes) break
  }
  return Buffer.concat(chunks).toString('utf8')
}
