-- Grain: one row per version of a definition. Key: definition, version.
-- Build: view, because it is a handful of constants.
-- Used by: audits. What models.yaml says of its definitions, and since when each holds.
{% for definition in vip_definitions %}
SELECT
    'vip_tier' AS definition,
    {{ text(definition.version) }} AS version,
    CAST('{{ definition.since }}' AS DATE) AS holds_since,
    {{ text(definition.change) }} AS change
{{ "UNION ALL" if not loop.last }}
{% endfor %}
