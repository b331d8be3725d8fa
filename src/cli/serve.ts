import { Command } from 'commander'
import { type ClusterOptions, withCluster } from './cluster.ts'
import type { Io } from './io.ts'
import { flagOf, listSettings, parseServeSettings, settingDescriptions, variableOf } from './serve-settings.ts'

/** `offshoot serve`: the controller and its HTTP server, until it is told to end. */
export function serveCommand(io: Io): Command {
  const command = withCluster(new Command('serve').description('run the controller and its webhook server'), false)
  for (const [setting, description] of Object.entries(settingDescriptions)) {
    const text = `${description} [${variableOf(setting)}]`
    if (setting === 'leaderElection')
      command.option('--no-leader-election', `lead without asking other replicas [${variableOf(setting)}=false]`)
    else if (listSettings.has(setting)) command.option(`${flagOf(setting)} <value>`, text, collect)
    else command.option(`${flagOf(setting)} <value>`, text)
  }
  return command.action(async (flags: ClusterOptions & Record<string, unknown>) => {
    const { kubeconfig, context, leaderElection, ...rest } = flags
    // Commander has no "not given" for a negated flag: only its false is a choice.
    const settings = parseServeSettings({ ...rest, ...(leaderElection === false ? { leaderElection } : {}) }, io.env)
    // Other commands start faster without the controller in memory.
    const { serve } = await import('./serve-run.ts')
    await serve(
      settings,
      { ...(kubeconfig === undefined ? {} : { kubeconfig }), ...(context === undefined ? {} : { context }) },
      io,
    )
  })
}

function collect(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value]
}
