"""The spot check in pictures, as SVG that the page's style sheet colours: its tests on one axis, and panel level against held-out score."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

from cardcheck.report import words
from cardcheck.report.escape import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardcheck.spotcheck.result import SpotCheck
    from cardcheck.spotcheck.statistics import Residual
    from cardcheck.spotcheck.verdict import Outcome

WIDTH, HEIGHT = 500, 380
LEFT, RIGHT, TOP, BOTTOM = 46, 466, 34, 322
SMALL, LARGE = (
    11,
    16,
)  # font sizes; the style sheet sets chart text large on a narrow screen and leaves references their numbers
GLYPH = 0.55  # width of an average letter in font sizes
LONGEST = 24  # letters of a name
STEPS = (1, 2, 5, 10, 20)
BAND = 12  # half the width of the expected interval
ROW, EDGE = 52, 14  # height of a test; what stays free left and right of the tests
# Where a label may stand: by so much lower than its mark, and right of it, left of it, or with its middle at it.
PLACES = tuple((shift, anchor) for shift in (4, -6, 14) for anchor in ("start", "end")) + tuple(
    (shift, anchor) for shift in (-9, 18, -19, 28, -29, 38) for anchor in ("middle", "start", "end")
)

Box = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True, slots=True)
class Axis:
    """Scores from `low` to `high`, both multiples of `step`, along a line from pixel `start` to pixel `end`."""

    low: float
    high: float
    step: float
    start: float
    end: float

    def __call__(self, score: float) -> float:
        """Return the pixel of a score."""
        return round(self.start + (score - self.low) / (self.high - self.low) * (self.end - self.start), 1)

    def ticks(self) -> list[float]:
        """Return the round scores along the axis."""
        return [self.low + index * self.step for index in range(round((self.high - self.low) / self.step) + 1)]


def _axis(scores: list[float], start: float, end: float) -> Axis:
    """Return the axis that holds all scores with some room, in at most eight steps."""
    low, high = min(scores, default=0.0), max(scores, default=100.0)
    room = max(1.0, (high - low) * 0.05)
    low, high = max(0.0, low - room), min(100.0, high + room)
    step = next((step for step in STEPS if (high - low) / step <= 7), STEPS[-1])
    return Axis(math.floor(low / step) * step, math.ceil(high / step) * step, step, start, end)


@dataclass(slots=True)
class _Labels:
    """Places for labels, so that they cover neither a mark nor one another where that can be helped."""

    taken: list[Box] = field(default_factory=list)

    def mark(self, x: float, y: float, width: float, height: float) -> None:
        self.taken.append((x - width, y - height, x + width, y + height))

    def place(self, x: float, y: float, away: float, letters: int, size: int) -> str:
        """Return the attributes of a label `away` from the mark at (x, y): the place that covers least, the first of equals."""
        width = letters * size * GLYPH
        boxes = [self._box((x, y + shift), away, width, size, anchor) for shift, anchor in PLACES]
        best = min(range(len(boxes)), key=lambda index: self._covered(boxes[index]))
        left, _, right, bottom = box = boxes[best]
        self.taken.append(box)
        anchor = PLACES[best][1]
        at = {"start": left, "middle": (left + right) / 2, "end": right}[anchor]
        return f'x="{at:.1f}" y="{bottom - 3:.1f}" text-anchor="{anchor}"'

    @staticmethod
    def _box(at: tuple[float, float], away: float, width: float, size: int, anchor: str) -> Box:
        x, y = at
        left = {"start": x + away, "middle": x - width / 2, "end": x - away - width}[anchor]
        return left, y - size * 0.8, left + width, y + 3

    def _covered(self, box: Box) -> float:
        """Return the area of marks and labels that a box covers; a box that leaves the frame is worse than any inside."""
        left, top, right, bottom = box
        inside = left >= LEFT and right <= WIDTH and top >= TOP - 6 and bottom <= BOTTOM
        overlaps = (max(0.0, min(right, r) - max(left, x)) * max(0.0, min(bottom, b) - max(top, y)) for x, y, r, b in self.taken)
        return sum(overlaps) + (0 if inside else WIDTH * HEIGHT)


def scatter(check: SpotCheck) -> str:
    """Return the SVG: reference models as numbered dots in the order of `check.references`, the subject as a diamond.

    Without a residual the subject has no panel level, and its measured score is a line across.
    """
    judged, interval = check.residual, check.measured_interval
    level = check.panel.value if check.panel and judged else None
    levels = [point.level for point in check.references] + ([] if level is None else [level])
    scores = [point.heldout for point in check.references] + [check.measured, interval.low, interval.high]
    if judged:
        scores += [judged.expected, judged.expected_interval.low, judged.expected_interval.high]
    # a quarter of the width stays free on the right, for the names of the best models
    free = [max(levels) + (max(levels) - min(levels)) / 4] if levels else []
    across, up = _axis(levels + free, LEFT, RIGHT), _axis(scores, BOTTOM, TOP)
    labels = _Labels()
    for point in check.references:
        labels.mark(across(point.level), up(point.heldout), 5, 5)
    if judged and level is not None:
        behind, before = _subject(check, judged, across(level), up, labels)
    else:
        behind, before = _measured_only(check, up, labels)
    box = f'viewBox="0 0 {WIDTH} {HEIGHT}" xmlns="http://www.w3.org/2000/svg"'
    return "\n".join(
        (
            f'<svg class="chart" role="img" aria-labelledby="chart-title chart-text" {box}>',
            '<title id="chart-title">Panel level and held-out score of the model and of the reference models</title>',
            f'<desc id="chart-text">{escape(_alternative(check, judged, level))}</desc>',
            *_frame(across, up),
            *behind,
            *(f'<circle class="dot" cx="{across(point.level)}" cy="{up(point.heldout)}" r="4.5"/>' for point in check.references),
            *before,
            *_names(check, across, up, labels),
            "</svg>",
        )
    )


def _alternative(check: SpotCheck, judged: Residual | None, level: float | None) -> str:
    interval = check.measured_interval
    text = f"The model measures {check.measured:.1f} (95 % interval {interval.low:.1f} to {interval.high:.1f})"
    if judged and level is not None:
        interval = judged.expected_interval
        text += f"; {judged.expected:.1f} are expected (90 % interval {interval.low:.1f} to {interval.high:.1f})"
        text += f" at its panel level of {level:.1f}"
    points = "; ".join(
        f"{number} {visible(point.id)}: level {point.level:.1f}, held-out score {point.heldout:.1f}"
        for number, point in enumerate(check.references, 1)
    )
    return f"{text}. Reference models: {points or 'none'}."


def _frame(across: Axis, up: Axis) -> Iterator[str]:
    """Grid, ticks and axis titles."""
    for score in up.ticks():
        yield f'<line class="grid" x1="{LEFT}" x2="{RIGHT}" y1="{up(score)}" y2="{up(score)}"/>'
        yield f'<text class="tick" x="{LEFT - 7}" y="{up(score) + 4:.1f}" text-anchor="end">{score:g}</text>'
    for score in across.ticks():
        yield f'<line class="grid" x1="{across(score)}" x2="{across(score)}" y1="{TOP}" y2="{BOTTOM}"/>'
        yield f'<text class="tick" x="{across(score)}" y="{BOTTOM + 19}" text-anchor="middle">{score:g}</text>'
    yield f'<text class="axis" x="4" y="{TOP - 18}">held-out nDCG@10 × 100</text>'
    yield f'<text class="axis" x="{RIGHT}" y="{HEIGHT - 12}" text-anchor="end">panel level, published</text>'


def _subject(check: SpotCheck, judged: Residual, x: float, up: Axis, labels: _Labels) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the expected interval, behind the dots, and the diamond with its error bar, before them."""
    y, expected = up(check.measured), up(judged.expected)
    top, bottom = up(judged.expected_interval.high), up(judged.expected_interval.low)
    low, high = up(check.measured_interval.low), up(check.measured_interval.high)
    labels.mark(x, y, 9, 9)
    labels.mark(x, (low + high) / 2, 5, (low - high) / 2)
    labels.mark(x, (top + bottom) / 2, BAND, (bottom - top) / 2)
    behind = (
        f'<rect class="band" x="{x - BAND:.1f}" y="{top}" width="{BAND * 2}" height="{bottom - top:.1f}" rx="2"/>',
        f'<line class="expected" x1="{x - BAND:.1f}" x2="{x + BAND:.1f}" y1="{expected}" y2="{expected}"/>',
    )
    before = (
        f'<g class="{check.verdict}">',
        f'<path class="bar" d="M{x} {low}V{high}M{x - 5:.1f} {low}h10M{x - 5:.1f} {high}h10"/>',
        f'<path class="subject" d="M{x} {y - 9:.1f}l9 9l-9 9l-9 -9z"/>',
        "</g>",
        *(
            f'<text class="own" {labels.place(x, height, BAND + 5, len(text), LARGE)}>{text}</text>'
            for text, height in (("measured", y), ("expected", expected))
        ),
    )
    return behind, before


def _measured_only(check: SpotCheck, up: Axis, labels: _Labels) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the measured score as a line across, in its interval."""
    y, top, bottom = up(check.measured), up(check.measured_interval.high), up(check.measured_interval.low)
    behind = (
        f'<rect class="band" x="{LEFT}" y="{top}" width="{RIGHT - LEFT}" height="{bottom - top:.1f}"/>',
        f'<line class="measured" x1="{LEFT}" x2="{RIGHT}" y1="{y}" y2="{y}"/>',
    )
    return behind, (f'<text class="own" {labels.place(RIGHT, y - 9, 4, len("measured"), LARGE)}>measured</text>',)


def _names(check: SpotCheck, across: Axis, up: Axis, labels: _Labels) -> Iterator[str]:
    """Yield a label a dot: its name for a wide screen, its number for a narrow one."""
    for number, point in enumerate(check.references, 1):
        name = visible(point.id.rpartition("/")[2])
        name = name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
        place = labels.place(across(point.level), up(point.heldout), 9, len(name), SMALL)
        yield f'<text {place}><tspan class="name">{escape(name)}</tspan><tspan class="number">{number}</tspan></text>'


def differences(check: SpotCheck) -> str:
    """Return the SVG of the tests that were run, a row each: statistic, interval, and a tick at the smallest difference it would see."""
    ends = [end for test in check.tests for end in (test.statistic, test.interval.low, test.interval.high, test.detectable)]
    low, high = min(0.0, *ends), max(0.0, *ends)
    step = next((step for step in STEPS if (high - low) / step <= 8), 50)
    axis = Axis(math.floor(low / step) * step, math.ceil(high / step) * step, step, EDGE, WIDTH - EDGE)
    bottom = ROW * len(check.tests) + 8
    box = f'viewBox="0 0 {WIDTH} {bottom + 46}" xmlns="http://www.w3.org/2000/svg"'
    told = "; ".join(map(words.tested, check.tests))
    return "\n".join(
        (
            f'<svg class="chart" role="img" aria-labelledby="tests-title tests-text" {box}>',
            '<title id="tests-title">Differences that the tests found, in points</title>',
            f'<desc id="tests-text">{escape(visible(told))}.</desc>',
            *(f'<line class="grid" x1="{axis(score)}" x2="{axis(score)}" y1="4" y2="{bottom}"/>' for score in axis.ticks()),
            f'<line class="zero" x1="{axis(0)}" x2="{axis(0)}" y1="4" y2="{bottom}"/>',
            *(f'<text class="tick" x="{axis(score)}" y="{bottom + 17}" text-anchor="middle">{score:g}</text>' for score in axis.ticks()),
            f'<text class="axis" x="{WIDTH - EDGE}" y="{bottom + 38}" text-anchor="end">difference, nDCG@10 points</text>',
            *(line for row, test in enumerate(check.tests) for line in _test(test, axis, ROW * row + 22)),
            "</svg>",
        )
    )


def _test(test: Outcome, axis: Axis, y: float) -> Iterator[str]:
    """Yield a test: its name above, below it the interval, the statistic as a diamond, filled where it is real, and the tick."""
    name, on, points, *_ = words.test_cells(test)
    x, least, bar = axis(test.statistic), axis(test.detectable), y + 16
    yield f'<text class="halo" x="{EDGE + 5}" y="{y}">{name}<tspan class="name axis"> on {escape(visible(on))}</tspan></text>'
    yield f'<text class="own halo" x="{WIDTH - EDGE}" y="{y}" text-anchor="end">{points}</text>'
    yield f'<g class="{"unexplained" if test.rejected else "unshown"}">'
    yield f'<path class="bar" d="M{axis(test.interval.low)} {bar}H{axis(test.interval.high)}"/>'
    yield f'<path class="{"subject" if test.rejected else "open"}" d="M{x} {bar - 7}l7 7l-7 7l-7 -7z"/>'
    yield "</g>"
    yield f'<path class="least" d="M{least} {bar - 9}v18"/>'
