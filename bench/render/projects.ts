import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chartFiles } from '../../test/harness/charts/chart.ts'

/** A project to render. */
export interface Sample {
  readonly name: string
  readonly target: string
  readonly folder: string
}

/** The three projects, made below a folder. */
export function samples(below: string): Sample[] {
  return [demo(join(below, 'demo')), items(join(below, 'items'), 200), charts(join(below, 'charts'), 20)]
}

function demo(folder: string): Sample {
  const path = '../../test/fixtures/kluctl/examples/microservices-demo/3-templating-and-multi-env'
  cpSync(fileURLToPath(new URL(path, import.meta.url)), folder, { recursive: true })
  repository(folder)
  return { name: 'microservices-demo 3', target: 'prod', folder }
}

/** Items of a Deployment, a Service and a ConfigMap each, with templates. */
function items(folder: string, count: number): Sample {
  const names = Array.from({ length: count }, (_, index) => `item${index}`)
  write(folder, '.kluctl.yaml', 'targets:\n- name: bench\n  args: {replicas: 2}\n')
  write(folder, 'deployment.yaml', `deployments:\n${names.map(name => `- path: ${name}`).join('\n')}\n`)
  for (const name of names) {
    const head = (kind: string, api: string) =>
      `apiVersion: ${api}\nkind: ${kind}\nmetadata:\n  name: ${name}\n  namespace: bench\n`
    write(
      folder,
      `${name}/deployment.yaml`,
      `${head('Deployment', 'apps/v1')}spec:\n  replicas: {{ args.replicas }}\n${pod(name)}`,
    )
    const spec = `spec:\n  selector:\n    app: ${name}\n  ports:\n  - port: 80\n    targetPort: 8080\n`
    write(folder, `${name}/service.yaml`, head('Service', 'v1') + spec)
    const lines = Array.from({ length: 10 }, (_, at) => `  key${at}: "{{ target.name }} ${at}"\n`).join('')
    write(folder, `${name}/config.yaml`, `${head('ConfigMap', 'v1')}data:\n${lines}`)
  }
  repository(folder)
  return { name: `${count} items`, target: 'bench', folder }
}

function pod(name: string): string {
  return `  selector:
    matchLabels:
      app: ${name}
  template:
    metadata:
      labels:
        app: ${name}
    spec:
      containers:
      - name: main
        image: registry.example.com/${name}:1.0.0
        ports:
        - containerPort: 8080
        resources:
          requests: {cpu: 100m, memory: 64Mi}
`
}

function charts(folder: string, count: number): Sample {
  const names = Array.from({ length: count }, (_, index) => `chart${index}`)
  write(folder, '.kluctl.yaml', 'targets:\n- name: bench\n')
  write(folder, 'deployment.yaml', `deployments:\n${names.map(name => `- path: ${name}`).join('\n')}\n`)
  for (const name of names) {
    write(folder, `${name}/helm-chart.yaml`, `helmChart:\n  path: chart\n  releaseName: ${name}\n  namespace: bench\n`)
    write(folder, `${name}/helm-values.yaml`, 'data:\n  target: {{ target.name }}\n')
    for (const [path, text] of Object.entries(chartFiles(name, '1.0.0'))) write(folder, `${name}/chart/${path}`, text)
  }
  repository(folder)
  return { name: `${count} charts`, target: 'bench', folder }
}

function write(folder: string, path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}

function repository(folder: string): void {
  const identity = ['-c', 'user.name=bench', '-c', 'user.email=bench@example.org']
  execFileSync('git', ['init', '--quiet', folder])
  execFileSync('git', ['-C', folder, 'add', '--all'])
  execFileSync('git', ['-C', folder, ...identity, 'commit', '--quiet', '--message=bench'])
}
