"""Draws `marts/lineage.svg`: which model reads which, read from the SQL."""

from __future__ import annotations

from pathlib import Path

from airflow_provider_cio.core.models.files import LAYERS, load_folder
from airflow_provider_cio.core.models.lineage import in_order, lineage
from airflow_provider_cio.core.models.settings import load_models

ROOT = Path(__file__).parents[1]
WIDTH, HEIGHT, GAP, STEP = 190, 18, 90, 24


def draw(target: Path) -> None:
    """A column for the sources and for each layer; a line from what is read to what reads it."""
    folder = load_folder(ROOT / "sql")
    found = lineage(folder, load_models(ROOT / "dags/models.yaml"))
    sources = sorted({source for _, read in found.values() for source in read})
    columns = [sources]
    columns += [[name for name in in_order(found) if folder.models[name].layer == layer] for layer in LAYERS]
    places = {
        (number == 0, name): (number * (WIDTH + GAP) + 4, row * STEP + 4)
        for number, names in enumerate(columns)
        for row, name in enumerate(names)
    }
    lines = []
    for name, (parents, read) in found.items():
        for origin in [(False, parent) for parent in sorted(parents)] + [
            (True, source) for source in sorted(read)
        ]:
            (x1, y1), (x2, y2) = places[origin], places[(False, name)]
            start, end, middle = x1 + WIDTH, x2, (x1 + WIDTH + x2) / 2
            y1, y2 = y1 + HEIGHT / 2, y2 + HEIGHT / 2
            curve = f"M{start},{y1} C{middle},{y1} {middle},{y2} {end},{y2}"
            lines.append(f'<path d="{curve}"><title>{origin[1]} to {name}</title></path>')
    boxes = [
        f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="3"/>'
        f'<text x="{x + 6}" y="{y + 13}">{name}</text>'
        for (_, name), (x, y) in places.items()
    ]
    width = len(columns) * (WIDTH + GAP)
    height = max(map(len, columns)) * STEP + 8
    style = (
        "path{fill:none;stroke:#8a9a8a}rect{fill:#eef3ec;stroke:#6b8a6b}text{font:11px sans-serif;fill:#222}"
    )
    target.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"><style>{style}</style>'
        f"{''.join(lines)}{''.join(boxes)}</svg>\n",
        encoding="utf-8",
    )
