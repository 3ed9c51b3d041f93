"""Small pictures for the UI: bar and line charts as SVG inside Markdown,
with the figures below them.

Belongs here: drawing. Not here: what is drawn.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from html import escape
from typing import Any

Bar = tuple[str, float | None]
Line = tuple[str, Sequence[float | None]]

WIDTH, LABELS, ROW, FIGURES = 720, 230, 22, 90
COLOUR = "#2f6f9f"
RIGHT, TALL, LEGEND = 310, 200, 17
GREY = "#bbbbbb"
COLOURS = ("#c0392b", "#2f6f9f", "#27825a", "#b9770e", "#7d3c98", "#117a8b", "#d35494", "#5d6d7e")


def bars(title: str, rows: Sequence[Bar], unit: str = "", colour: str = COLOUR) -> str:
    """A horizontal bar chart as SVG text: a bar per row, its label to the left,
    its figure to the right.
    """
    most = max((abs(value) for _, value in rows if value is not None), default=0) or 1
    room = WIDTH - LABELS - FIGURES
    height = 40 + ROW * max(1, len(rows))
    drawn = [f'<text x="8" y="20" font-size="15" font-weight="bold">{escape(title)}</text>']
    for place, (label, value) in enumerate(rows):
        y = 34 + ROW * place
        length = 0 if value is None else round(room * abs(value) / most, 1)
        figure = "–" if value is None else f"{value:,.10g}{unit}"
        drawn.append(
            f'<text x="{LABELS - 8}" y="{y + 15}" text-anchor="end">{escape(label)}</text>'
        )
        drawn.append(
            f'<rect x="{LABELS}" y="{y + 3}" width="{length}" height="{ROW - 6}" fill="{colour}"/>'
        )
        drawn.append(f'<text x="{LABELS + length + 6}" y="{y + 15}">{escape(figure)}</text>')
    if not rows:
        drawn.append(f'<text x="{LABELS}" y="49">nothing to show</text>')
    return _framed("".join(drawn), height)


def lines(title: str, steps: Sequence[str], rows: Sequence[Line], unit: str = "") -> str:
    """A line chart as SVG text: a line per row over the steps,
    its label and last figure to the right, the lowest last.

    Of many lines the lowest have colours, the others are grey.
    """
    values = [value for _, drawn in rows for value in drawn if value is not None]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    low, high = (
        (low - 1, high + 1)
        if low == high
        else (low - (high - low) * 0.05, high + (high - low) * 0.05)
    )
    ordered = sorted(rows, key=lambda row: (-_or(_last(row[1]), low), row[0]))
    tall = max(TALL, LEGEND * len(ordered))
    wide, left, top = WIDTH - RIGHT - 60, 60, 40

    def x(step: int) -> float:
        return round(left + (wide * step / (len(steps) - 1) if len(steps) > 1 else wide / 2), 1)

    def y(value: float) -> float:
        return round(top + tall * (high - value) / (high - low), 1)

    drawn = [f'<text x="8" y="20" font-size="15" font-weight="bold">{escape(title)}</text>']
    for share in (0.0, 0.5, 1.0):
        value = low + (high - low) * share
        drawn.append(
            f'<line x1="{left}" y1="{y(value)}" x2="{left + wide}" y2="{y(value)}" stroke="#ddd"/>'
        )
        drawn.append(
            f'<text x="{left - 6}" y="{y(value) + 4}"'
            f' text-anchor="end">{value:,.4g}{escape(unit)}</text>'
        )
    every = max(1, -(-len(steps) // 8))
    for step, label in enumerate(steps):
        if step % every == 0 or step == len(steps) - 1:
            drawn.append(
                f'<text x="{x(step)}" y="{top + tall + 18}"'
                f' text-anchor="middle">{escape(label)}</text>'
            )
    for place, (label, found) in enumerate(ordered):
        from_below = len(ordered) - 1 - place
        colour = COLOURS[from_below] if from_below < len(COLOURS) else GREY
        points = [(x(step), y(value)) for step, value in enumerate(found) if value is not None]
        drawn.append(
            f'<polyline points="{" ".join(f"{a},{b}" for a, b in points)}" fill="none"'
            f' stroke="{colour}" stroke-width="1.6"/>'
        )
        drawn.extend(f'<circle cx="{a}" cy="{b}" r="2.4" fill="{colour}"/>' for a, b in points)
        last = _last(found)
        figure = "–" if last is None else f"{last:,.5g}{unit}"
        down = top + 10 + LEGEND * place
        drawn.append(
            f'<rect x="{left + wide + 14}" y="{down - 9}" width="10" height="10" fill="{colour}"/>'
        )
        drawn.append(
            f'<text x="{left + wide + 30}" y="{down}">{escape(label)} {escape(figure)}</text>'
        )
    return _framed("".join(drawn), top + tall + 30)


def _or(value: float | None, other: float) -> float:
    return other if value is None else value


def _last(values: Sequence[float | None]) -> float | None:
    return next((value for value in reversed(values) if value is not None), None)


def _framed(drawn: str, height: int) -> str:
    style = 'font-family="sans-serif" font-size="12" fill="#333"'
    frame = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0'
        f' {WIDTH} {height}" {style}>'
    )
    return f'{frame}<rect width="100%" height="100%" fill="white"/>{drawn}</svg>'


def as_markdown(svg: str, title: str) -> str:
    """The picture as Markdown that needs no other file."""
    return f"![{title}](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})"


def figures(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """The figures as a Markdown table."""
    lines = [
        [_plain(cell) for cell in header],
        ["---"] * len(header),
        *([_plain(cell) for cell in row] for row in rows),
    ]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _plain(cell: Any) -> str:
    """A cell that is text whatever it holds:
    a department's names for files and columns are shown too.
    """
    text = "–" if cell is None else " ".join(str(cell).split())
    return re.sub(r"([\\`|\[\]<>&!])", r"\\\1", text)
