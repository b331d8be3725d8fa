import { describe, expect, test } from 'vitest'
import { parseRepositoryUrl, repositoryKeys } from '../../src/forge/index.ts'

describe('a repository', () => {
  test('has one key, however its URL is written', () => {
    const urls = [
      'https://github.com/acme/shop.git',
      'https://github.com/acme/shop',
      'https://github.com/acme/shop/',
      'https://user:password@GitHub.com/Acme/Shop.git',
      'http://github.com/acme/shop',
      'ssh://git@github.com/acme/shop.git',
      'ssh://git@github.com:22/acme/shop.git',
      'git@github.com:acme/shop.git',
      'github.com:acme/shop',
    ]
    expect(new Set(urls.flatMap(repositoryKeys))).toEqual(new Set(['github.com/acme/shop']))
  })

  test('on another port is another one', () => {
    expect(repositoryKeys('https://ghe.example.com:8443/a/b')).toEqual(['ghe.example.com:8443/a/b'])
  })

  test.each([
    '',
    '--upload-pack=touch x',
    '-oProxyCommand=x:y',
    'ext::sh -c id',
    'git@github.com:--upload-pack=x',
    'data://x/y',
    'https://github.com/',
    'https:///acme/shop',
    'https://github.com/acme/shop\n',
    'https://github.com/acme/%ff',
    'shop',
  ])('is not named by %j', url => {
    expect(() => parseRepositoryUrl(url)).toThrow(/is not a repository URL/)
  })

  test('an error about a URL does not print its password', () => {
    expect(() => parseRepositoryUrl('https://me:hunter2@github.com/')).toThrow(/\*\*\*@/)
    expect(() => parseRepositoryUrl('https://me:hunter2@github.com/')).not.toThrow(/hunter2/)
  })
})
