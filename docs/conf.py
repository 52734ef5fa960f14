"""Sphinx configuration."""

from __future__ import annotations

from airflow_provider_cio import __version__

project = "airflow-provider-cio"
copyright = "the authors of airflow-provider-cio"
release = version = __version__
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"airflow-provider-cio {__version__}"
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
