{{/* The name of all objects: that of the release, which is openclaw-stream in the documents. */}}
{{- define "openclaw-stream.name" -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- end }}

{{- define "openclaw-stream.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "openclaw-stream.workerSelector" -}}
{{ include "openclaw-stream.selector" . }}
app.kubernetes.io/component: worker
{{- end }}

{{- define "openclaw-stream.labels" -}}
{{ include "openclaw-stream.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "openclaw-stream.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* What the pods of the worker and of the Job have in common. */}}
{{- define "openclaw-stream.podSpec" -}}
serviceAccountName: {{ include "openclaw-stream.name" . }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.volumes }}
volumes:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "openclaw-stream.container" -}}
image: {{ include "openclaw-stream.image" . }}
envFrom:
  - configMapRef:
      name: {{ include "openclaw-stream.name" . }}
  - secretRef:
      name: {{ .Values.credentials.secretName }}
      optional: {{ .Values.credentials.optional }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop:
      - ALL
{{- with .Values.volumeMounts }}
volumeMounts:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
