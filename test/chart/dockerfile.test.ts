import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { allowedContext, parseDockerfile, type Stage } from '../harness/dockerfile.ts'
import { type RenderedDeployment, renderChart, rendered } from '../harness/helm.ts'

const root = join(import.meta.dirname, '../..')
const stages = parseDockerfile(await readFile(join(root, 'Dockerfile'), 'utf8'))
const context = allowedContext(await readFile(join(root, '.dockerignore'), 'utf8'))
const final = stages.at(-1) as Stage
const all = stages.flatMap(({ instructions }) => instructions)
const [nodeMajor] = process.versions.node.split('.')

describe('the Dockerfile', () => {
  it('copies only what the context has, or an earlier stage', async () => {
    for (const { verb, flags, words } of all) {
      if (verb !== 'COPY') continue
      if (flags.from !== undefined) {
        expect(stages.map(({ name }) => name)).toContain(flags.from)
        continue
      }
      for (const source of words.slice(0, -1)) {
        const [top = ''] = source.split('/')
        expect(context).toContain(top)
        expect((await stat(join(root, source))).isDirectory()).toBe(source.endsWith('/'))
      }
    }
  })

  it('takes nothing into the context that it does not copy', () => {
    const copied = all.filter(({ verb, flags }) => verb === 'COPY' && flags.from === undefined)
    const sources = copied.flatMap(({ words }) => words.slice(0, -1)).map(source => source.replace(/\/$/, ''))
    expect(sources.sort()).toEqual([...context].sort())
  })

  it('downloads nothing without a checksum, and the same versions for each architecture', () => {
    const downloads = stages.filter(({ name }) => name.startsWith('downloads-'))
    expect(downloads.map(({ name }) => name)).toEqual(['downloads-amd64', 'downloads-arm64'])
    const versions = downloads.map(({ name, instructions }) =>
      instructions.slice(1).map(({ verb, flags, words: [url = ''] }) => {
        expect(verb).toBe('ADD')
        expect(flags.checksum).toMatch(/^sha256:[0-9a-f]{64}$/)
        expect(url).toMatch(/^https:\/\//)
        return url.replaceAll(name.replace('downloads-', ''), '')
      }),
    )
    expect(versions[0]).toEqual(versions[1])
    expect(new Set(downloads.flatMap(({ instructions }) => instructions.map(({ flags }) => flags.checksum))).size).toBe(
      5,
    )
    const others = all.filter(({ text }) => /\b(?:curl|wget)\b/.test(text))
    expect(others).toEqual([])
  })

  it('runs on the Node that the project is tested with, as the user that the chart names, by an exec form', async () => {
    expect(final.base).toBe(`node:${nodeMajor}-trixie-slim`)
    const last = (verb: string) => final.instructions.findLast(one => one.verb === verb)
    const { spec } = rendered<RenderedDeployment>(await renderChart(), 'Deployment').spec.template
    const { runAsUser, runAsGroup } = spec.securityContext as Record<string, number>
    expect(last('USER')?.text).toBe(`${runAsUser}:${runAsGroup}`)
    expect(runAsUser).toBeGreaterThan(0)
    expect(last('ENTRYPOINT')?.words).toEqual(['tini', '--', 'node', '/opt/offshoot/dist/cli/main.js'])
    const order = final.instructions.map(({ verb }) => verb)
    expect(order.indexOf('USER')).toBeGreaterThan(Math.max(order.lastIndexOf('RUN'), order.lastIndexOf('COPY')))
  })
})
