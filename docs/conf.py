"""Sphinx configuration."""

from __future__ import annotations

import sys
from pathlib import Path

from airflow_provider_cio import __version__
from airflow_provider_cio.core.contract import reference
from airflow_provider_cio.core.streams import reference as streams

sys.path.insert(0, str(Path(__file__).parent))
from lineage import draw

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

# These pages are made from the models at every build, so they cannot be out of date.
(Path(__file__).parent / "reference/contract-keys.md").write_text(reference.markdown(), encoding="utf-8")
(Path(__file__).parent / "reference/stream-columns.md").write_text(streams.markdown(), encoding="utf-8")
draw(Path(__file__).parent / "marts/lineage.svg")
