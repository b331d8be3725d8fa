import { Command } from 'commander'
import { appManifest, appReport } from '../forge/index.ts'
import { InvalidInputError } from '../util/errors.ts'
import { silentLogger } from '../util/log.ts'
import { type OutputOptions, withOutput } from './cluster.ts'
import { CliError, exitCodes } from './exit.ts'
import { appFromFlags } from './github-app.ts'
import { type Io, printable } from './io.ts'
import { printData } from './output.ts'

/** `offshoot github …`: everything about the GitHub App. */
export function githubCommand(io: Io): Command {
  return new Command('github')
    .description('the GitHub App: manifest, check')
    .addCommand(manifestCommand(io))
    .addCommand(checkCommand(io))
}

/** `offshoot github manifest`: JSON from which GitHub registers the App. */
function manifestCommand(io: Io): Command {
  return new Command('manifest')
    .description('print the manifest of a GitHub App with exactly the permissions and events that Offshoot uses')
    .requiredOption('--url <url>', 'public address of offshoot serve, https://…')
    .option('--name <name>', 'name of the App, unique at GitHub', 'offshoot')
    .option('--public', 'let other accounts install it', false)
    .action(({ url, name, public: isPublic }: { url: string; name: string; public: boolean }) => {
      const problems = []
      // A token or a delivery that goes there unencrypted is anybody's.
      if (URL.parse(url)?.protocol !== 'https:') problems.push({ path: '--url', message: 'expected https://…' })
      if (name.length === 0 || name.length > 34) {
        problems.push({ path: '--name', message: 'expected at most 34 characters, as GitHub does' })
      }
      if (problems.length > 0) throw new InvalidInputError(problems)
      io.stdout.write(`${JSON.stringify(appManifest({ url, name, public: isPublic }), null, 2)}\n`)
    })
}

interface CheckOptions extends OutputOptions {
  appId: string
  privateKeyFile: string
  apiUrl: string
}

/** `offshoot github check`: what the App lacks; exit code 1 if it lacks something. */
function checkCommand(io: Io): Command {
  const command = new Command('check')
    .description('ask GitHub whether the App has the permissions and events that Offshoot needs')
    .requiredOption('--app-id <id>', 'ID of the App')
    .requiredOption('--private-key-file <file>', 'file with its private key')
    .option('--api-url <url>', 'base of the REST API', 'https://api.github.com')
  return withOutput(command).action(async (options: CheckOptions) => {
    const app = await appFromFlags(options.appId, options.privateKeyFile)
    const report = await appReport(options.apiUrl, app, { clock: io.clock, logger: silentLogger })
    if (options.output !== 'table') printData(io, options.output, report)
    else {
      io.stdout.write(`${printable(`GitHub App ${report.name} (${report.settingsUrl})`)}\n`)
      for (const missing of report.missing) io.stdout.write(`${printable(`missing: ${missing}`)}\n`)
    }
    if (report.missing.length > 0) throw new CliError('the App lacks what Offshoot needs', exitCodes.failure)
  })
}
