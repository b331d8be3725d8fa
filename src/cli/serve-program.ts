import { Command } from 'commander'
import { kluctlArguments } from './engine-arguments.ts'
import type { Io } from './io.ts'
import { epilogue, parseAndRun, prepare } from './parse.ts'
import { serveCommand } from './serve.ts'

/** Runs `serve` without what only the other commands need: it runs for long, and would hold all of it in memory. */
export function run(args: readonly string[], io: Io): Promise<number> {
  const root = () => prepare(new Command('offshoot').addHelpText('after', epilogue).addCommand(serveCommand(io)), io)
  return parseAndRun(root, args, io, kluctlArguments)
}
