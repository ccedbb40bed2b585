{{- define "app.pod" -}}
apiVersion: v1
kind: Pod
spec:
  containers:
    - image: nginx:1
      {{- if .Values.x }}
{{- end -}}
