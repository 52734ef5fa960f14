-- All state tables together, for people who look.
CREATE OR REPLACE VIEW {{ schema }}.state AS
{{ selects }}
