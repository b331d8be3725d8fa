import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { selfSigned } from '../harness/engine/certificate.ts'
import { tlsFront } from '../harness/forge/tls-front.ts'
import { gitScene, kindOf } from './harness.ts'

test('the authority of a remote counts, whatever the machine says of its own', async () => {
  await using at = await gitScene()
  await using front = await tlsFront(at.host.origin)
  const other = join(at.folder, 'other.pem')
  await writeFile(other, (await selfSigned('other.example.com')).cert)
  const url = `https://${front.host}/acme/shop`
  const before = process.env.GIT_SSL_CAINFO
  try {
    for (const own of [undefined, other]) {
      if (own === undefined) delete process.env.GIT_SSL_CAINFO
      else process.env.GIT_SSL_CAINFO = own
      expect(await kindOf(at.store.listBranches({ url }))).not.toContain('no error')
      const { branches } = await at.store.listBranches({ url, credential: { ca: front.ca } })
      expect(branches.get('main')).toBe(at.main())
    }
  } finally {
    if (before === undefined) delete process.env.GIT_SSL_CAINFO
    else process.env.GIT_SSL_CAINFO = before
  }
})
