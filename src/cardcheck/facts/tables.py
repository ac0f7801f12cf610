"""Scores that the card's tables show for this model: which cell is whose, of which task, by which metric."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from cardcheck.facts.located import Location
from cardcheck.facts.names import plain
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from cardcheck.facts.model import Facts

MARKUP = Pattern(
    r"!?\[([^\[\]]{0,300})\]\([^()\s]{0,500}\)|<[^<>]{0,200}>|[*`\\~]|[\u2190-\u21ff\u2600-\u27ff\U0001f300-\U0001faff\u2b00-\u2bff\ufe0f]"
)
NUMBER = Pattern(r"^[~≈]?\s?(\d{1,3}(?:\.(\d{1,8}))?)\s?%?$")
# Labels of rows and columns that hold no score of a task.
OTHER = Pattern(
    r"^(?:|models?|names?|model names?|tasks?|data ?sets?|task names?|benchmarks?|metrics?|avg\.?|average|mean|overall|total|size|dims?"
    r"|dimensions?|emb.{0,20}dim.{0,12}|params?|parameters|#.{0,20}|sequence length|max.{0,20}|context.{0,20}|languages?|lang|rank|type"
    r"|version|links?|url|splits?|subsets?|config|category|domain|(?:task |metric )?type|avg.{0,30}"
    r"|average.{0,30}|mean.{0,30}|.{0,30}\bavg\.?)$",
    re.IGNORECASE,
)
VALUE = Pattern(
    r"^(?:(?:main[ _-]?)?scores?|values?|results?|performance|ours?|this model|our model"
    r"|(?:n?dcg|map|mrr|recall|accuracy|acc|f1|spearman|pearson|v-?measure|ap)\b.{0,20})$",
    re.IGNORECASE,
)
METRIC = Pattern(
    r"\b(ndcg|recall|r|mrr|map|precision|p|hit|accuracy|acc|spearman|pearson|f1|v[-_ ]?measure|kendall)(?:\b|@|_at_)", re.IGNORECASE
)
# A table of another variant of the model has other scores.
VARIANT = Pattern(
    r"int8|int4|binary|quanti|matryoshka|truncat|\bmrl\b|onnx|gguf|distill|few-shot|without|\bw/o\b|ablation"
    r"|checkpoint|previous|dim(?:ension)?s?\b",
    re.IGNORECASE,
)
CONTEXT = 300

Cells = list[list[str]]
Row = dict[str, Any]


class Shown(NamedTuple):
    """A score of this model: the task's name by its letters and digits, as the table has it, the score as written, and named metrics."""

    key: str
    label: str
    written: str
    metrics: set[str]
    place: Location


def shown_scores(facts: Facts, tasks: Container[str]) -> Iterator[list[Shown]]:
    """Yield, for each table and each way to read it, the scores that this model has on these tasks (keys as in `Shown`)."""
    mine = own_names(facts)
    lines = facts["card.text"].split("\n")
    first_line = facts.places["card.text"].line or 1
    for table in map(Table, facts["card.tables"]):
        before = _before(lines, table.row["line"] - first_line)
        if VARIANT.search(before):
            continue
        for grid, transposed in ((table, False), (table.by_columns(), True)):
            found: list[Shown] = []
            for key, label, at, column in _cells(grid, tasks, mine):
                line, cell = (column, at) if transposed else (at, column)
                metrics = metrics_named(label) or metrics_named(before + " " + grid.cells[0][0])
                place = _place(table, lines, first_line, (line, cell))
                found.append(Shown(key, label, table.cells[line][cell], metrics, place))
            yield found


class Table:
    """A table of the card without its markup."""

    def __init__(self, row: Row) -> None:
        self.row = row
        self.raw: Cells = [[str(cell) for cell in line] for line in (row["header"], *row["cells"])]
        self.cells: Cells = [[MARKUP.sub(lambda found: found[1] or "", cell).strip() for cell in line] for line in self.raw]

    def has_scores(self) -> bool:
        """Tell whether there are at least two decimal numbers."""
        return sum(1 for line in self.cells for cell in line if "." in cell and NUMBER.match(cell)) > 1

    def by_columns(self) -> Table:
        """Return the table with rows for columns."""
        other = Table.__new__(Table)
        other.row = self.row
        width = max((len(line) for line in self.cells), default=0)
        other.raw, other.cells = (
            [[line[at] if at < len(line) else "" for line in cells] for at in range(width)] for cells in (self.raw, self.cells)
        )
        return other


def name_in(title: str) -> str | None:
    """Return the model's name where the title is nothing else."""
    text = re.sub(r"^(?:model card (?:for|of)|the model)\s{1,3}", "", MARKUP.sub(r"\1", title).strip(), flags=re.IGNORECASE).strip()
    return text if re.fullmatch(r"[\w./-]{3,100}", text) and re.search(r"[-_\d]", text) else None


def _before(lines: list[str], start: int) -> str:
    """Return what stands over a table in its section, the heading included."""
    first = max(0, start - 8)
    heading = next((at for at in range(start - 1, first - 1, -1) if lines[at].startswith("#")), first)
    return " ".join(lines[heading:start])[-CONTEXT:]


def own_names(facts: Facts) -> set[str]:
    """Return what a table calls this model, by letters and digits."""
    names = (
        [facts["subject.name"]]
        if facts["subject.name"]
        else [name_in(facts["card.title"] or ""), *(row["name"] for row in facts["results.models"])]
    )
    return {plain(name) for name in names if name} | {"ours", "thismodel", "ourmodel"}


def _cells(grid: Table, tasks: Container[str], mine: set[str]) -> Iterator[tuple[str, str, int, int]]:
    """Yield (task, label, row, column) of the scores that this model has in a table whose first row names tasks."""
    header = grid.cells[0] if grid.cells else []
    labels = {at: _key(cell) for at, cell in enumerate(header)}
    matched = {at: key for at, key in labels.items() if key in tasks}
    named = [at for at, cell in enumerate(header) if at in matched or (at and not OTHER.match(cell))]
    if not matched or len(set(matched.values())) < len(matched) or len(matched) * 2 < len(named) or (len(matched) == 1 and len(named) > 1):
        return
    rows = [at for at, line in enumerate(grid.cells) if at and line and any(_key(cell) in mine for cell in line[: min(matched)])]
    if not rows:
        scored = [
            at for at, line in enumerate(grid.cells) if at and any(NUMBER.match(line[column]) for column in matched if column < len(line))
        ]
        if len(scored) != 1 or not all(_is_value(cell) for cell in grid.cells[scored[0]][: min(matched)]):
            return
        rows = scored
    if len(rows) != 1:  # several variants of the model
        return
    for column, key in matched.items():
        if column < len(grid.cells[rows[0]]):
            yield key, header[column], rows[0], column


def _is_value(cell: str) -> bool:
    return bool(VALUE.match(cell) or OTHER.match(cell) or NUMBER.match(cell))


def _key(cell: str) -> str:
    return plain(re.sub(r"\([^()]{0,80}\)", "", cell).replace("MTEB ", ""))


def metrics_named(text: str) -> set[str]:
    """Return the metrics that a label or the text before a table names."""
    names = {found.lower().replace("-", "_").replace(" ", "_") for found in METRIC.findall(text)}
    short = {"r": "recall", "p": "precision", "acc": "accuracy", "vmeasure": "v_measure"}
    return {short.get(name, name) for name in names}


def _place(table: Table, lines: list[str], first_line: int, cell: tuple[int, int]) -> Location:
    """Return where a cell stands; of a table in HTML only its beginning is known."""
    line, column = cell
    row, written = table.row, table.raw[line][column]
    at = row["line"] - first_line + line + (1 if line else 0)
    if not (0 <= at < len(lines) and written and written in lines[at]):
        return Location(row["file"], row["line"], row["column"])
    offset = 0
    for _ in range(column):  # the same number may stand further left in the row
        offset = lines[at].find("|", offset) + 1 or offset
    found = lines[at].find(written, offset)
    return Location(row["file"], at + first_line, (found if found >= 0 else lines[at].find(written)) + 1)
