{{- define "offshoot.name" -}}
{{- default .Release.Name .Values.name -}}
{{- end }}

{{- define "offshoot.selector" -}}
app.kubernetes.io/name: offshoot
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "offshoot.labels" -}}
{{ include "offshoot.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "offshoot.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end }}

{{- /* Public address of the webhooks, as far as it is known. */}}
{{- define "offshoot.url" -}}
{{- if .Values.webhooks.url -}}
{{ .Values.webhooks.url }}
{{- else if and .Values.ingress.enabled .Values.ingress.tls.secretName -}}
https://{{ .Values.ingress.host }}
{{- end -}}
{{- end }}

{{- /* What a schema cannot say. Whoever writes projects in a namespace may act as the accounts of that namespace. */}}
{{- define "offshoot.check" -}}
{{- if has .Release.Namespace .Values.projectNamespaces }}
{{- fail (printf "projectNamespaces: expected other namespaces than the release's own, %s: whoever writes projects there could act as the controller" .Release.Namespace) }}
{{- end }}
{{- range .Values.watchNamespaces }}
{{- if not (has . $.Values.projectNamespaces) }}
{{- fail (printf "watchNamespaces: %s is not among projectNamespaces" .) }}
{{- end }}
{{- end }}
{{- end }}
