import { Command, Option } from 'commander'
import { EngineError, within } from '../engine/errors.ts'
import { registryConfigFiles } from '../engine/helm/credentials.ts'
import { chartCredentialsOf } from '../engine/helm/index.ts'
import { allowAll } from '../engine/host.ts'
import { writeJson } from '../engine/json.ts'
import { pushArtifact } from '../engine/oci/index.ts'
import { findProject } from '../engine/project/load.ts'
import { repositoryState } from '../engine/result/git-info.ts'
import { writeYaml } from '../engine/yaml.ts'
import { chartCredentialFlags, type RegistryFlagOptions, withRegistryFlags } from './chart-flags.ts'
import { profiled } from './cpu-profile.ts'
import { type BasicOptions, fromEnvironment, list, withBasicFlags } from './engine-flags.ts'
import { engineProgress } from './engine-progress.ts'
import { progressOptions, withinTimeout } from './engine-run.ts'
import { CliError, exitCodes } from './exit.ts'
import type { Io } from './io.ts'

interface Options extends BasicOptions, RegistryFlagOptions {
  url?: string
  annotation: string[]
  output?: 'json' | 'yaml'
}

/** `offshoot oci push`: the project's folder as an artifact in a registry, where `oci` includes take it from. */
export function ociPushCommand(io: Io): Command {
  const command = new Command('push')
    .description("push the project's folder to an OCI repository, without what .gitignore files say")
    .option('--url <url>', 'where to: oci://host/repository[:tag], the tag is latest by default (required)')
    .addOption(new Option('--output <format>', 'print where the artifact is').choices(['json', 'yaml']))
  list(command, '--annotation <key=value>', 'annotation of the artifact')
  withRegistryFlags(withBasicFlags(command))
  return profiled(fromEnvironment(command, io)).action((options: Options) => push(io, options))
}

async function push(io: Io, options: Options): Promise<void> {
  const { url } = options
  if (url === undefined) throw new CliError('--url: expected oci://host/repository[:tag]', exitCodes.usage)
  const given = annotationsOf(options.annotation)
  const place = await findProject(options.projectDir ?? '.')
  const progress = engineProgress(io, progressOptions(options))
  const pushed = await withinTimeout(io, options, async signal => {
    const { gitInfo } = await repositoryState(place, io.env, signal)
    const annotations = {
      'org.opencontainers.image.source': gitInfo.url ?? '',
      'org.opencontainers.image.revision': gitInfo.commit,
      ...given,
      'io.kluctl.image.git_info': JSON.stringify(gitInfo),
    }
    const access = {
      credential: chartCredentialsOf(chartCredentialFlags(options), io.env),
      configFiles: registryConfigFiles(io.env),
      environment: io.env,
      policy: allowAll,
      clock: io.clock,
    }
    const end = progress.start(`Pushing artifact to ${url}`)
    try {
      const artifact = await pushArtifact(access, url, { folder: place.folder, annotations }, signal)
      end('done')
      return artifact
    } catch (error) {
      end('failed')
      signal.throwIfAborted()
      throw within('pushing artifact failed', error)
    }
  })
  const { leftOut, ...shown } = pushed
  for (const path of leftOut) progress.warn(`${path} is neither a file nor a folder: it is not pushed`)
  progress.info(`Artifact successfully pushed to ${shown.url.slice('oci://'.length)}`)
  if (options.output === 'json') io.stdout.write(`${writeJson(shown, 2)}\n`)
  if (options.output === 'yaml') io.stdout.write(writeYaml(shown))
}

/** @throws EngineError */
function annotationsOf(texts: readonly string[]): Record<string, string> {
  const entries = texts.map(text => {
    const at = text.indexOf('=')
    if (at < 1) throw new EngineError(`invalid annotation ${text}, must be in the format key=value`)
    return [text.slice(0, at), text.slice(at + 1)] as const
  })
  return Object.fromEntries(entries)
}
