"""Small pictures for the UI: bar charts as SVG inside Markdown, with the figures below them.

Belongs here: drawing. Not here: what is drawn.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from typing import Any

Bar = tuple[str, float | None]

WIDTH, LABELS, ROW, FIGURES = 720, 230, 22, 90
COLOUR = "#2f6f9f"


def bars(title: str, rows: Sequence[Bar], unit: str = "", colour: str = COLOUR) -> str:
    """A horizontal bar chart as SVG text: a bar per row, its label to the left, its figure to the right."""
    most = max((abs(value) for _, value in rows if value is not None), default=0) or 1
    room = WIDTH - LABELS - FIGURES
    height = 40 + ROW * max(1, len(rows))
    drawn = [f'<text x="8" y="20" font-size="15" font-weight="bold">{escape(title)}</text>']
    for place, (label, value) in enumerate(rows):
        y = 34 + ROW * place
        length = 0 if value is None else round(room * abs(value) / most, 1)
        figure = "–" if value is None else f"{value:,.10g}{unit}"
        drawn.append(f'<text x="{LABELS - 8}" y="{y + 15}" text-anchor="end">{escape(label)}</text>')
        drawn.append(f'<rect x="{LABELS}" y="{y + 3}" width="{length}" height="{ROW - 6}" fill="{colour}"/>')
        drawn.append(f'<text x="{LABELS + length + 6}" y="{y + 15}">{escape(figure)}</text>')
    if not rows:
        drawn.append(f'<text x="{LABELS}" y="49">nothing to show</text>')
    style = 'font-family="sans-serif" font-size="12" fill="#333"'
    frame = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" {style}>'
    return f'{frame}<rect width="100%" height="100%" fill="white"/>{"".join(drawn)}</svg>'


def as_markdown(svg: str, title: str) -> str:
    """The picture as Markdown that needs no other file."""
    return f"![{title}](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})"


def figures(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """The figures as a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join("–" if cell is None else str(cell) for cell in line) + " |" for line in lines)
