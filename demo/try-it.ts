import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { repositoryName } from './shop.ts'
import { projectNamespace, type Stage } from './stage.ts'

/** Lines that tell a person what to try; every line that begins with `$ ` works as it stands, in this order. */
export async function tryIt(stage: Stage): Promise<string[]> {
  const folder = join(await stage.folder(), 'shop')
  const { url } = stage.forge.repo(repositoryName)
  const api = `${stage.forge.apiUrl}/repos/${repositoryName}`
  const config = stage.cluster.adminKubeconfig
  const inCluster = `-n ${projectNamespace} --kubeconfig ${config}`
  const call = (method: string, path: string, body: string) =>
    `$ curl -fsS -o /dev/null -X ${method} -H 'authorization: Bearer fake-token' ${api}${path} -d '${body}'`
  return [
    '',
    `Now try it yourself. The Git host: ${stage.forge.origin}/${repositoryName}`,
    '',
    'Open a pull request:',
    `$ git clone -q ${url} ${folder}`,
    `$ git -C ${folder} switch -qc my-change`,
    `$ git -C ${folder} -c user.name=me -c user.email=me@example.com commit -q --allow-empty -m 'My change'`,
    `$ git -C ${folder} push -q origin my-change`,
    call('POST', '/pulls', '{"title": "My change", "head": "my-change", "base": "main"}'),
    '',
    'See its environment come up:',
    `$ npm run -s offshoot -- env wait shop-pr-2 ${inCluster}`,
    `$ npm run -s offshoot -- env list ${inCluster}`,
    ...kubectlLines(config),
    `$ curl -fsS ${stage.forge.origin}/${repositoryName}/pull/2`,
    '',
    'Close it, and see it go:',
    call('PATCH', '/pulls/2', '{"state": "closed"}'),
    `$ npm run -s offshoot -- env wait shop-pr-2 --for gone ${inCluster}`,
    '',
    'Ctrl-C ends the demo and removes everything.',
  ]
}

/** Lines for kubectl, where there is one. */
function kubectlLines(config: string): string[] {
  const folders = (process.env.PATH ?? '').split(delimiter)
  if (!folders.some(folder => folder !== '' && existsSync(join(folder, 'kubectl')))) return []
  return [
    `$ kubectl --kubeconfig ${config} get reviewprojects,reviewenvironments -A`,
    `$ kubectl --kubeconfig ${config} get configmap,service -n shop-pr-2`,
  ]
}
