import { tarball } from './tar.ts'

/** A chart whose one ConfigMap tells the version, the values and what Helm told it. */
export function chartFiles(
  name: string,
  version: string,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return {
    'Chart.yaml': `apiVersion: v2\nname: ${name}\nversion: ${version}\n`,
    'values.yaml': 'data: {}\n',
    'templates/configmap.yaml': [
      'apiVersion: v1',
      'kind: ConfigMap',
      'metadata:',
      '  name: {{ .Release.Name }}-{{ .Chart.Name }}',
      '  namespace: {{ .Release.Namespace }}',
      'data:',
      '  version: {{ .Chart.Version | quote }}',
      '  kube: {{ .Capabilities.KubeVersion.Version | quote }}',
      '  {{- range $key, $value := .Values.data }}',
      '  {{ $key }}: {{ $value | quote }}',
      '  {{- end }}',
      '',
    ].join('\n'),
    ...more,
  }
}

/** The chart as repositories hold it. */
export function packagedChart(name: string, version: string, more: Readonly<Record<string, string>> = {}): Buffer {
  const files = Object.entries(chartFiles(name, version, more))
  return tarball(Object.fromEntries(files.map(([path, text]) => [`${name}/${path}`, text])))
}
