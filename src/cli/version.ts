import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { z } from 'zod'
import { apiVersion } from '../api/index.ts'
import { packageFile } from '../util/package-files.ts'
import { type OutputOptions, withOutput } from './cluster.ts'
import type { Io } from './io.ts'
import { printData } from './output.ts'

/** The version in package.json. */
export function offshootVersion(): string {
  const text = readFileSync(packageFile('package.json'), 'utf8')
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version
}

/** `offshoot version`. */
export function versionCommand(io: Io): Command {
  return withOutput(new Command('version').description('print the version')).action((options: OutputOptions) => {
    const facts = { version: offshootVersion(), api: apiVersion, node: process.versions.node }
    if (options.output === 'table') io.stdout.write(`offshoot ${facts.version} (${facts.api}, Node ${facts.node})\n`)
    else printData(io, options.output, facts)
  })
}
