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

{{- /*
What the pods of Jobs get, as JSON for --runner-pod. They are in other namespaces: what is read from a ConfigMap or Secret
here is not there, nor is what `$(…)` stands for.
*/}}
{{- define "offshoot.runnerPod" -}}
{{- $env := dict -}}
{{- range .Values.controller.extraEnv -}}
{{- $value := toString (default "" .value) -}}
{{- if and (has (upper .name) (list "HTTP_PROXY" "HTTPS_PROXY" "NO_PROXY" "ALL_PROXY")) $value (not (contains "$(" $value)) -}}
{{- $_ := set $env .name $value -}}
{{- end -}}
{{- end -}}
{{- range .Values.jobs.extraEnv -}}
{{- $_ := set $env .name .value -}}
{{- end -}}
{{- $list := list -}}
{{- range $name, $value := $env -}}
{{- $list = append $list (dict "name" $name "value" $value) -}}
{{- end -}}
{{- $pod := dict "env" $list "imagePullPolicy" .Values.image.pullPolicy "imagePullSecrets" .Values.imagePullSecrets -}}
{{- $_ := set $pod "nodeSelector" .Values.nodeSelector -}}
{{- $_ := set $pod "tolerations" .Values.tolerations -}}
{{- with .Values.runAsUser -}}
{{- $_ := set $pod "securityContext" (dict "runAsUser" . "runAsGroup" . "fsGroup" .) -}}
{{- end -}}
{{- $resources := dict -}}
{{- range $kind := list "requests" "limits" -}}
{{- $quantities := dict -}}
{{- range $name, $quantity := index $.Values.jobs.resources $kind -}}
{{- $_ := set $quantities $name (toString $quantity) -}}
{{- end -}}
{{- $_ := set $resources $kind $quantities -}}
{{- end -}}
{{- $_ := set $pod "resources" $resources -}}
{{- /* The kubelet would replace `$(NAME)` in an argument. */ -}}
{{- toJson $pod | replace "$(" "$$(" -}}
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
