{{- define "image" -}}image: nginx{{- end -}}
