import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { OffshootError } from '../../util/errors.ts'
import { packageFile } from '../../util/package-files.ts'
import { type ChartFile, rbacTemplates } from './rbac-templates.ts'
import { valuesTable } from './values-table.ts'

const crds = ['offshoot.dev_reviewprojects.yaml', 'offshoot.dev_reviewenvironments.yaml']
const readme = 'charts/offshoot/README.md'
const marks = { start: '<!-- values -->', end: '<!-- end of values -->' }

/** What the chart takes from elsewhere: CRDs, rights, and the table of values in its README. */
export async function generatedChartFiles(): Promise<ChartFile[]> {
  const copies = crds.map(async name => ({
    path: `charts/offshoot/files/crds/${name}`,
    text: await read(`config/crd/${name}`),
  }))
  return [...(await Promise.all(copies)), ...(await rbacTemplates()), await readmeFile()]
}

/** The README with a new table between its two marks. @throws OffshootError when a mark is missing */
async function readmeFile(): Promise<ChartFile> {
  const [text, values] = await Promise.all([read(readme), read('charts/offshoot/values.yaml')])
  const start = text.indexOf(marks.start)
  const end = text.indexOf(marks.end)
  if (start < 0 || end < start) throw new OffshootError(`${readme}: the marks of the table are gone`)
  const before = text.slice(0, start + marks.start.length)
  return { path: readme, text: `${before}\n${valuesTable(values)}\n${text.slice(end)}` }
}

function read(path: string): Promise<string> {
  return readFile(packageFile(path), 'utf8')
}

if (import.meta.main) {
  for (const { path, text } of await generatedChartFiles()) {
    const file = packageFile(path)
    const before = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    })
    if (before === text) continue
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text)
  }
}
