"""Losses over steps as an SVG image, for a model card: lines, their ends in numbers, nothing that runs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

_WIDE, _HIGH, _EDGE = 720, 320, 56
_COLOURS = ("#8a8f98", "#c2410c")

Points = Sequence[tuple[float, float]]


def drawn(lines: Mapping[str, Points]) -> str:
    """An image of these lines, each a name and its points (step, value); "" where there is nothing to draw."""
    known = {name: [one for one in points if all(map(math.isfinite, one))] for name, points in lines.items()}
    every = [point for points in known.values() for point in points]
    if not every:
        return ""
    steps, values = zip(*every, strict=True)
    last, low, high = max(steps), min(values), max(values)
    span = (high - low) or 1.0

    def place(point: tuple[float, float]) -> str:
        x = _EDGE + (_WIDE - 2 * _EDGE) * (point[0] / last if last else 0)
        y = _EDGE + (_HIGH - 2 * _EDGE) * (high - point[1]) / span
        return f"{x:.1f},{y:.1f}"

    bottom = _HIGH - _EDGE
    shapes = [
        f'<rect width="{_WIDE}" height="{_HIGH}" fill="#ffffff"/>',
        f'<path d="M{_EDGE} {_EDGE}V{bottom}H{_WIDE - _EDGE}" fill="none" stroke="#d4d4d8"/>',
        _text(_EDGE - 8, _EDGE + 4, f"{high:.3g}", "end"),
        _text(_EDGE - 8, bottom + 4, f"{low:.3g}", "end"),
        _text(_EDGE, bottom + 20, "0", "middle"),
        _text(_WIDE - _EDGE, bottom + 20, f"{last:,.0f}", "middle"),
    ]
    for (name, points), colour, at in zip(known.items(), _COLOURS, (_EDGE, _WIDE // 2), strict=False):
        if points:
            line = " ".join(map(place, points))
            shapes.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.8"/>')
            shapes.append(_text(at, 28, f"{name}: {points[-1][1]:.4g}", "start", colour))
    inner = "\n".join(shapes)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {_HIGH}" role="img">'
    return f"{head}\n{inner}\n</svg>\n"


def _text(x: int, y: int, said: str, anchor: str, colour: str = "#52525b") -> str:
    style = f'fill="{colour}" font-family="sans-serif" font-size="13"'
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" {style}>{said}</text>'
