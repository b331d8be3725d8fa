import { resolve } from 'node:path'
import { Command } from 'commander'
import { helmUpdate } from '../engine/commands/helm-update.ts'
import { type ProjectOptions, withProjectFlags } from './engine-flags.ts'
import { withCharts } from './engine-run.ts'
import { type Io, printable } from './io.ts'

interface Options extends ProjectOptions {
  upgrade?: boolean
  commit?: boolean
  interactive?: boolean
}

/** `offshoot helm-update`: newer versions of the charts of a Kluctl project. */
export function helmUpdateCommand(io: Io): Command {
  const command = new Command('helm-update')
    .description("look for newer versions of the charts of all 'helm-chart.yaml' files")
    .option('--upgrade', 'write new versions into helm-chart.yaml and pull them')
    .option('--commit', 'create a Git commit for every updated chart')
    .option('-i, --interactive', 'ask for every chart if it should be upgraded')
  return withProjectFlags(command, io).action(async (options: Options) => {
    const folder = resolve(options.projectDir ?? '.')
    const { upgrade, commit } = options
    const answers = answersOf(io)
    const confirm = options.interactive === true ? (question: string) => ask(io, question, answers) : undefined
    await withCharts(io, options, ({ host, charts }, signal) =>
      helmUpdate(host, charts, folder, { upgrade, commit, confirm }, signal),
    )
  })
}

async function ask(io: Io, question: string, answers: AsyncIterator<string>): Promise<boolean> {
  io.stderr.write(`${printable(question)} (y/N) `)
  const { value, done } = await answers.next()
  return done !== true && /^y(?:es)?$/i.test(value.trim())
}

/** Standard input line by line; nothing is read before it is asked for. */
async function* answersOf(io: Io): AsyncGenerator<string, void> {
  let rest = ''
  for await (const chunk of io.stdin) {
    const lines = (rest + String(chunk)).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  if (rest !== '') yield rest
}
