import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { TestProject } from './harness/project.ts'

const fixtures = join(import.meta.dirname, '..', 'fixtures', 'kluctl')
const golden = (file: string) => readFile(join(fixtures, 'golden', file), 'utf8')

/** Project, golden file, flags. */
const rows: [string, string, string[]][] = [
  ['microservices-demo/1-basic-project', 'local', ['-t', 'local']],
  ['microservices-demo/2-helm-integration', 'local', ['-t', 'local']],
  ['microservices-demo/3-templating-and-multi-env', 'local', ['-t', 'local']],
  ['microservices-demo/3-templating-and-multi-env', 'test', ['-t', 'test']],
  ['microservices-demo/3-templating-and-multi-env', 'prod', ['-t', 'prod']],
  ['simple-helm', 'simple-helm', ['-t', 'simple-helm']],
  ['simple', 'simple', ['-t', 'simple']],
  ['simple', 'another', ['-t', 'another']],
  ['gitops-deployment', 'gitops-test', ['-t', 'gitops', '-a', 'cluster_name=test.example.com']],
  ['gitops-deployment', 'gitops-prod', ['-t', 'gitops', '-a', 'cluster_name=prod.example.com']],
]

const projects = [
  'microservices-demo/1-basic-project',
  'microservices-demo/2-helm-integration',
  'microservices-demo/3-templating-and-multi-env',
  'simple',
  'simple-helm',
  'gitops-deployment',
]

describe('what kluctl 2.28.2 rendered', () => {
  test.each(rows)('%s %s', async (folder, name, flags) => {
    await using project = await TestProject.copy(join(fixtures, 'examples', folder))
    const rendered = await project.render(flags)
    expect(rendered.code, rendered.stderr).toBe(0)
    const stdout = withoutCertificates(rendered.stdout)
    const wanted = await golden(`${folder}/${name}.yaml`)
    expect(documents(stdout)).toEqual(documents(wanted))
    // Not only the objects: the text is the same to the byte.
    expect(stdout).toBe(wanted)
  })

  test.each(projects)('targets of %s', async folder => {
    await using project = await TestProject.copy(join(fixtures, 'examples', folder))
    const { code, stdout } = await project.run(['list-targets'])
    expect(code).toBe(0)
    const wanted = await golden(`${folder}/list-targets.yaml`)
    expect(parse(stdout)).toEqual(parse(wanted))
  })
})

function documents(text: string): unknown[] {
  return parseAllDocuments(text).map(document => document.toJS() as unknown)
}

/** The chart of simple-helm makes a new certificate each time; the golden file has a fixed text in its place. */
function withoutCertificates(text: string): string {
  return text.replaceAll(/^( {2}(?:ca\.crt|tls\.crt|tls\.key): ).*$/gm, '$1R0VORVJBVEVE')
}
