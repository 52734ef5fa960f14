"""Jinja2 with our words and plots; every value is escaped in HTML."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, select_autoescape

from airflow_provider_cio.plugin import charts, words

SPANS = (30, 90, 365)
ASSETS = Path(__file__).parent / "pages" / "assets"

pages = Environment(
    loader=PackageLoader("airflow_provider_cio.plugin", "pages"),
    autoescape=select_autoescape(["html"]),
    trim_blocks=True,
    lstrip_blocks=True,
)
pages.globals.update(
    words=words,
    charts=charts,
    spans=SPANS,
    shell=shlex.quote,
    style=lambda: (ASSETS / "page.css").read_text(),
    now=lambda: datetime.now(UTC),
)
pages.filters.update(
    path=lambda text: quote(str(text), safe=""),
    ago=words.ago,
    number=words.number,
    percent=words.percent,
    duration=words.duration,
    moment=words.moment,
)
