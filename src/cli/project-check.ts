import { readFile } from 'node:fs/promises'
import { Command, Option } from 'commander'
import type { LoadForCheck } from '../backend/check-project.ts'
import { type CheckedFile, checkProjectFile, maxProjectFileBytes } from '../environment/check-file.ts'
import { formatProblem, InvalidInputError, type Problem } from '../util/errors.ts'
import { type OutputOptions, withOutput, withTimeout } from './cluster.ts'
import { CliError, exitCodes } from './exit.ts'
import { type Io, printable } from './io.ts'
import { printData } from './output.ts'

interface CheckOptions extends OutputOptions {
  projectDir?: string
  fetch?: boolean
  timeout: number
}

/**
 * `offshoot project check FILE…`: every mistake of every project, without a cluster; exit code 2 if there is one. With
 * a checkout or the repository at hand also what the Kluctl project has to do with it.
 */
export function projectCheckCommand(io: Io): Command {
  const command = new Command('check')
    .description('check ReviewProjects in YAML files, without a cluster')
    .argument('<file...>', 'YAML files; - is standard input')
    .option('--project-dir <folder>', 'checkout of the repository with the Kluctl project: check target and args too')
    .addOption(new Option('--fetch', 'the same, with the repository fetched').conflicts('projectDir'))
  return withTimeout(withOutput(command), '5m').action(async (files: string[], options: CheckOptions) => {
    const checked: (CheckedFile & { file: string })[] = await Promise.all(
      files.map(async path => {
        const file = path === '-' ? 'standard input' : path
        return { file, ...checkProjectFile(await read(path, io), file) }
      }),
    )
    await checkKluctl(checked, options, io)
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

/** Adds what is wrong between the projects and what they deploy; such a project is not valid. */
async function checkKluctl(
  checked: (CheckedFile & { file: string })[],
  { projectDir, fetch, timeout }: CheckOptions,
  io: Io,
) {
  if (projectDir === undefined && fetch !== true) return
  const { withRepositories, fromFolder } = await import('./check-kluctl.ts')
  const { kluctlProblems } = await import('../backend/check-project.ts')
  const signal = AbortSignal.any([io.signal, AbortSignal.timeout(timeout)])
  const check = async (load: LoadForCheck) => {
    for (const one of checked) {
      const found = await Promise.all(one.projects.map(project => kluctlProblems(project, load)))
      one.problems.push(...found.flat().map(problem => ({ ...problem, file: one.file })))
      one.projects = one.projects.filter((_, at) => found[at]?.length === 0)
    }
  }
  await (projectDir === undefined ? withRepositories(io, signal, check) : check(fromFolder(projectDir, io, signal)))
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
