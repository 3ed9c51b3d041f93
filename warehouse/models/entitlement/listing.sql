{#-
Whether each line's gaps, and what is held beyond it, go to an office: not while it waits for a
steward.

table: entitlement_listing
grain: all
key: code
same day: entitlement_run
outside: opening
parameters: as_of
-#}
{% from "crosscheck/flood.jinja" import listed %}
{{ listed(as_of, "entitlement_run") }}
