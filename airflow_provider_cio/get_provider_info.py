"""What Airflow is told of this package: one literal, importing nothing."""

from __future__ import annotations

from typing import Any

from airflow_provider_cio.connection_forms import DESTINATIONS


def get_provider_info() -> dict[str, Any]:
    """Answer the `apache_airflow_provider` entry point."""
    return {
        "package-name": "airflow-provider-cio",
        "name": "Customer.io",
        "description": "Redshift models to Customer.io people and events, with every row accounted for.",
        "integrations": [
            {
                "integration-name": "Customer.io",
                "external-doc-url": "https://docs.customer.io/integrations/api/",
                "tags": ["service"],
            }
        ],
        "hooks": [
            {
                "integration-name": "Customer.io",
                "python-modules": [
                    "airflow_provider_cio.hooks.customerio",
                    "airflow_provider_cio.hooks.destinations",
                ],
            }
        ],
        "operators": [
            {
                "integration-name": "Customer.io",
                "python-modules": [
                    "airflow_provider_cio.operators.audience_sync",
                    "airflow_provider_cio.operators.monitor",
                ],
            }
        ],
        "sensors": [
            {
                "integration-name": "Customer.io",
                "python-modules": ["airflow_provider_cio.sensors.audience_upload"],
            }
        ],
        "transfers": [
            {
                "source-integration-name": "Amazon Redshift",
                "target-integration-name": "Customer.io",
                "python-module": "airflow_provider_cio.transfers.redshift_to_customerio",
            },
            {
                "source-integration-name": "Customer.io",
                "target-integration-name": "Amazon Redshift",
                "python-module": "airflow_provider_cio.transfers.customerio_reporting_to_redshift",
            },
        ],
        "triggers": [
            {
                "integration-name": "Customer.io",
                "python-modules": ["airflow_provider_cio.triggers.exports"],
            }
        ],
        "notifications": ["airflow_provider_cio.notifications.customerio.CustomerIONotifier"],
        "extra-links": ["airflow_provider_cio.links.customerio.CustomerIOLink"],
        "cli": ["airflow_provider_cio.cli.definition.get_cli_commands"],
        "connection-types": [
            {
                "connection-type": "customerio",
                "hook-name": "Customer.io",
                "hook-class-name": "airflow_provider_cio.hooks.customerio.CustomerIOHook",
                "ui-field-behaviour": {
                    "hidden-fields": ["host", "schema", "login", "password", "port", "extra"],
                    "relabeling": {},
                    "placeholders": {},
                },
                "conn-fields": {
                    "region": {
                        "label": "Region",
                        "description": "Where the workspace lives: Settings > Workspace settings > Privacy & Data.",
                        "schema": {"type": "string", "enum": ["us", "eu"], "default": "us"},
                    },
                    "site_id": {
                        "label": "Site ID",
                        "description": "Settings > Workspace settings > API and webhook credentials > Track API keys.",
                        "schema": {"type": ["string", "null"]},
                    },
                    "track_api_key": {
                        "label": "Track API key",
                        "description": "The key beside the site ID. Sends people and events.",
                        "schema": {"type": ["string", "null"], "format": "password"},
                    },
                    "app_api_key": {
                        "label": "App API key",
                        "description": "The same page, App API keys. Reads customers, segments and activities back.",
                        "schema": {"type": ["string", "null"], "format": "password"},
                    },
                    "pipelines_api_key": {
                        "label": "Pipelines API key",
                        "description": "Data & Integrations > the source > Settings. For `transport: pipelines`.",
                        "schema": {"type": ["string", "null"], "format": "password"},
                    },
                    "workspace_id": {
                        "label": "Workspace ID",
                        "description": "The number after /env/ in the address of the workspace; used for links.",
                        "schema": {"type": ["string", "null"], "pattern": "^[0-9]*$"},
                    },
                    "rate_limit": {
                        "label": "Requests a second",
                        "description": "Of the whole workspace, over all syncs. Customer.io asks for at most 100.",
                        "schema": {
                            "type": ["integer", "null"],
                            "minimum": 1,
                            "maximum": 1000,
                            "default": 100,
                        },
                    },
                    "item_rate_limit": {
                        "label": "Items a second",
                        "description": "People and events, over all syncs. Empty: not counted.",
                        "schema": {"type": ["integer", "null"], "minimum": 1},
                    },
                    "rate_slots": {
                        "label": "Slots that share the rate",
                        "description": "As many as the Airflow pool of the tasks that send has.",
                        "schema": {"type": ["integer", "null"], "minimum": 1, "default": 10},
                    },
                    "app_rate_slots": {
                        "label": "Slots that share the App API",
                        "description": "Of all tasks that read back at the same time; the App API allows 10 a second.",
                        "schema": {"type": ["integer", "null"], "minimum": 1, "default": 2},
                    },
                    "rate": {
                        "label": "Rate",
                        "description": "fixed: never faster. adaptive: look for the limit, by being refused.",
                        "schema": {"type": "string", "enum": ["fixed", "adaptive"], "default": "fixed"},
                    },
                    "base_url": {
                        "label": "Base URL",
                        "description": "Another host for every API, such as a sandbox. Empty: the region's hosts.",
                        "schema": {"type": ["string", "null"]},
                    },
                },
            },
            *DESTINATIONS,
        ],
        "config": {
            "customerio": {
                "description": "Customer.io syncs.",
                "options": {
                    "state_schema": {
                        "description": "Redshift schema of the tables that the syncs keep: plans, state, runs.",
                        "version_added": "0.1.0",
                        "type": "string",
                        "example": "cio_sync_staging",
                        "default": "cio_sync",
                    }
                },
            }
        },
    }
