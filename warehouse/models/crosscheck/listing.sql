{#-
Whether each rule's rows go to an office: not while it waits for a steward.

table: crosscheck_listing
grain: all
key: code
same day: crosscheck_run
outside: opening
parameters: as_of
-#}
{% from "crosscheck/flood.jinja" import listed %}
{{ listed(as_of, "crosscheck_run") }}
