import { readdir, readFile, realpath } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { EngineError } from '../errors.ts'
import { compareBytes } from '../values.ts'

const maxFiles = 20_000
const maxUnpacked = 256 * 1024 * 1024

/** Functions of Helm's templates (helm.sh/docs/chart_template_guide/function_list) that see the time or the network. */
const timely = ['now', 'ago', 'date', 'dateInZone', 'date_in_zone', 'htmlDate', 'htmlDateInZone', 'getHostByName']
/** Functions whose results differ from call to call. */
const chance =
  /^(?:rand(?:AlphaNum|Alpha|Numeric|Ascii|Bytes|Int)|shuffle|uuidv4|gen(?:PrivateKey|CA|CAWithKey|(?:SelfSigned|Signed)Cert|(?:SelfSigned|Signed)CertWithKey)|htpasswd|bcrypt|encryptAES)$/

/** A chart's files by path, sorted. */
export type ChartFiles = ReadonlyMap<string, Buffer>

/** What the templates of a chart might depend on besides values and versions. */
export interface Uses {
  /** The result depends on when or where it is rendered. */
  readonly time: boolean
  /** Chance may be used; often only in a part of a library that these values do not reach. */
  readonly chance: boolean
  /** `lookup` asks the cluster. */
  readonly cluster: boolean
}

/**
 * All files of a chart. @throws EngineError when there are too many or a link leads out of `root`
 */
export async function readChartFiles(folder: string, root: string): Promise<ChartFiles> {
  const base = await realpath(root)
  const paths = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter(entry => !entry.isDirectory())
    .map(entry => join(entry.parentPath, entry.name))
    .sort(compareBytes)
  if (paths.length > maxFiles) throw new EngineError(`the chart has more than ${maxFiles} files`)
  const files = await Promise.all(
    paths.map(async path => [relative(folder, path), await readInside(path, base)] as const),
  )
  return new Map(files)
}

async function readInside(path: string, base: string): Promise<Buffer> {
  const real = await realpath(path)
  if (real !== base && !real.startsWith(base + sep)) {
    throw new EngineError(`${relative(base, path)}: the link leads out of the project and is not read`)
  }
  // A link to a folder: its files are not listed, so what they hold is not known; its target stands for them.
  return await readFile(real).catch(error => {
    if ((error as NodeJS.ErrnoException).code === 'EISDIR') return Buffer.from(real)
    throw error
  })
}

/** What a chart's templates, and the templates in its values, make use of. */
export function usesOf(files: ChartFiles, values: Uint8Array | undefined): Uses {
  const textsOf = (isWanted: (path: string) => boolean) =>
    [...files].filter(([path]) => isWanted(path)).map(([path, content]) => textOf(path, content))
  const texts = textsOf(isTemplate)
  if (values !== undefined) texts.push(Buffer.from(values).toString('utf8'))
  const calls = new Set(texts.flatMap(callsIn))
  // `tpl (.Files.Get "x") .` makes a template of any file.
  if (calls.has('tpl')) {
    for (const name of textsOf(path => !isTemplate(path)).flatMap(callsIn)) calls.add(name)
  }
  return {
    time: timely.some(name => calls.has(name)),
    chance: [...calls].some(name => chance.test(name)),
    cluster: calls.has('lookup'),
  }
}

function isTemplate(path: string): boolean {
  return /(?:^|\/)templates\/|(?:^|\/)values\.ya?ml$|\.tgz$/.test(path)
}

/** A packed dependency is searched as one text: its members stand in it as they are. */
function textOf(path: string, content: Buffer): string {
  if (!path.endsWith('.tgz')) return content.toString('utf8')
  try {
    return gunzipSync(content, { maxOutputLength: maxUnpacked }).toString('latin1')
  } catch {
    // Helm says what is wrong with it; until then it may use anything.
    return '{{ now }}'
  }
}

/** Names called in the actions of a template; comments and strings are not calls, fields and variables neither. */
function callsIn(text: string): string[] {
  return actionsIn(text).flatMap(action => {
    const code = action.replaceAll(/"(?:[^"\\\n]|\\.)*"|`[^`]*`/g, ' ')
    return code.match(/(?<![.$\w])[a-zA-Z]\w*/g) ?? []
  })
}

/** What stands in double braces. By hand: as a pattern it takes a square of the time for braces that never close. */
function actionsIn(text: string): string[] {
  const actions: string[] = []
  for (let start = text.indexOf('{{'); start >= 0; ) {
    const end = text.indexOf('}}', start)
    if (end < 0) break
    const action = text.slice(start, end)
    if (!/^\{\{-?\s*\/\*/.test(action)) actions.push(action)
    start = text.indexOf('{{', end)
  }
  return actions
}
