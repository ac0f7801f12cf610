"""Score against memory as SVG: the models of a short list, the front among them named and joined."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

from cardcheck.report.escape import visible

if TYPE_CHECKING:
    from cardcheck.leaderboard.shortlist import Entry, Shortlist

WIDTH, HEIGHT = 800, 440
LEFT, RIGHT, TOP, BOTTOM = 50, 560, 40, 390
LONGEST = 28  # letters of a name
SIZES = (8, 32, 128, 512, 2048, 8192, 32768, 131072)  # megabytes at which the axis has a line
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#222}.grid{stroke:#ddd}.bar{stroke:#bbb}.dot{fill:#8a94a6}"
    ".front{fill:#0b57d0}.line{fill:none;stroke:#0b57d0;stroke-width:1.5}"
    "@media(prefers-color-scheme:dark){svg{background:#161b22}text{fill:#e6edf3}.grid{stroke:#30363d}.bar{stroke:#555}"
    ".front{fill:#79b8ff}.line{stroke:#79b8ff}}"
)


def svg(found: Shortlist) -> str:
    """Return the picture. Models of unknown memory, or placed loosely, are not in it; its text says how many."""
    shown = [entry for entry in found.entries if entry.about.memory and entry.firm]
    front = sorted((entry for entry in shown if entry.front), key=lambda entry: entry.size)
    low, high = _range([entry.size for entry in shown])
    bottom, top = _scores(shown)

    def across(size: float) -> float:
        return round(LEFT + (math.log2(size) - low) / (high - low) * (RIGHT - LEFT), 1)

    def up(score: float) -> float:
        return round(BOTTOM - (score - bottom) / (top - bottom) * (BOTTOM - TOP), 1)

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="title text">',
        f"<style>{STYLE}</style>",
        '<title id="title">Expected score against memory</title>',
        f'<desc id="text">{escape(visible(found.question))}: {len(shown)} of {len(found.entries)} models; {_alternative(front)}</desc>',
    ]
    for size in SIZES:
        if low <= math.log2(size) <= high:
            name = f"{size} MB" if size < 1024 else f"{size // 1024} GB"
            lines.append(f'<line class="grid" x1="{across(size)}" x2="{across(size)}" y1="{TOP}" y2="{BOTTOM}"/>')
            lines.append(f'<text x="{across(size)}" y="{BOTTOM + 18}" text-anchor="middle">{name}</text>')
    for score in range(bottom, top + 1, max(5, (top - bottom) // 25 * 5)):
        lines.append(f'<line class="grid" x1="{LEFT}" x2="{RIGHT}" y1="{up(score)}" y2="{up(score)}"/>')
        lines.append(f'<text x="{LEFT - 8}" y="{up(score) + 4}" text-anchor="end">{score}</text>')
    lines += [_dot(entry, across(entry.size), up(100 * entry.placed.score)) for entry in shown]
    if front:
        path = "L".join(f"{across(entry.size)} {up(100 * entry.placed.score)}" for entry in front)
        lines.append(f'<path class="line" d="M{path}"/>')
    lines += _names([(across(entry.size), up(100 * entry.placed.score), entry.placed.model) for entry in front])
    lines.append(f'<text x="{LEFT - 40}" y="{TOP - 16}">expected score × 100</text>')
    lines.append(f'<text x="{RIGHT}" y="{HEIGHT - 10}" text-anchor="end">memory of the weights</text>')
    return "\n".join([*lines, "</svg>", ""])


def _alternative(front: list[Entry]) -> str:
    """Return the front in words, for those who do not see it."""
    named = "; ".join(f"{entry.placed.model} {100 * entry.placed.score:.1f} at {entry.size:.0f} MB" for entry in front)
    return f"no smaller one scores higher: {escape(visible(named))}" if front else "none has a known size"


def _range(sizes: list[float]) -> tuple[float, float]:
    low, high = (math.log2(size) for size in (min(sizes, default=8.0), max(sizes, default=1024.0)))
    return low - 0.5, high + 0.5


def _scores(shown: list[Entry]) -> tuple[int, int]:
    scores = [100 * entry.placed.score for entry in shown] or [0.0, 100.0]
    return max(0, math.floor(min(scores) / 5) * 5 - 5), min(100, math.ceil(max(scores) / 5) * 5 + 5)


def _dot(entry: Entry, x: float, y: float) -> str:
    kind = "front" if entry.front else "dot"
    return f'<circle class="{kind}" cx="{x}" cy="{y}" r="4"><title>{escape(visible(entry.placed.model))}</title></circle>'


def _names(points: list[tuple[float, float, str]]) -> list[str]:
    """Return the names at the right edge, from the top down, each joined to its dot; never closer than a line of text."""
    lines, last = [], TOP - 16.0
    for x, y, model in sorted(points, key=lambda point: point[1]):
        name = visible(model.rpartition("/")[2])
        name = name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
        last = max(y + 4, last + 15)
        lines.append(f'<line class="bar" x1="{x + 5}" y1="{y}" x2="{RIGHT + 8}" y2="{last - 4:.1f}"/>')
        lines.append(f'<text x="{RIGHT + 12}" y="{last:.1f}">{escape(name)}</text>')
    return lines
