{{- /* Names images as Bitnami's common chart does. */ -}}
{{- define "images.image" -}}
{{- $registry := default .image.registry ((.global).imageRegistry) -}}
{{- $separator := ":" -}}
{{- $end := .image.tag | toString -}}
{{- if .image.digest -}}
{{- $separator = "@" -}}
{{- $end = .image.digest | toString -}}
{{- end -}}
{{- if $registry -}}
{{- printf "%s/%s%s%s" $registry .image.repository $separator $end -}}
{{- else -}}
{{- printf "%s%s%s" .image.repository $separator $end -}}
{{- end -}}
{{- end -}}

{{- /* Refuses other images than the chart's own, unless that is allowed. */ -}}
{{- define "images.verify" -}}
{{- $originals := .context.Chart.Annotations.images -}}
{{- $allowed := (((.context.Values.global).security).allowInsecureImages) -}}
{{- range .images -}}
{{- $name := printf "%s/%s" (default .registry (($.context.Values.global).imageRegistry)) .repository -}}
{{- if and (not (contains $name $originals)) (not $allowed) -}}
{{- fail (printf "Original containers have been substituted for unrecognized ones: %s; set global.security.allowInsecureImages" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
