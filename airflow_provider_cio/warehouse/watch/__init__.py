"""The tables metrics, check_results, alerts and alert_transitions."""
