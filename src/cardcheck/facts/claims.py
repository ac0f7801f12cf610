"""What the card's text claims, against what it shows: tables against model-index, names, and sentences that put the model first."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from cardcheck.facts.datasets import task_name
from cardcheck.facts.located import Location
from cardcheck.facts.names import mismatch, plain
from cardcheck.facts.ranks import collect_ranks
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardcheck.facts.model import Facts
    from cardcheck.facts.prose import Prose

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
HEADLINES = (
    "main_score",
    "ndcg_at_10",
    "map",
    "accuracy",
    "v_measure",
    "cos_sim_spearman",
    "cosine_spearman",
    "f1",
    "max_ap",
    "cos_sim_ap",
)
LEAST_TASK = 3
CONTEXT = 300
TOLERANCE = 0.05

Cells = list[list[str]]
Row = dict[str, Any]


def collect_claims(facts: Facts, prose: Prose) -> None:
    """Fill the group `claims`."""
    _names(facts)
    tables = [_Table(row) for row in facts["card.tables"]]
    shown = any(row["value"] is not None for row in facts["results.entries"]) or bool(facts["evalresults.entries"])
    facts.set("claims.scores", shown or any(table.has_scores() for table in tables))
    if tables and facts["results.entries"]:
        _contradictions(facts, tables)
    if facts["model.is_embedding"]:  # only rules on embedding models ask, and reading every sentence takes long
        collect_ranks(facts, prose)


def _names(facts: Facts) -> None:
    """Note the names in model-index that cannot be this model's."""
    title = facts["card.title"] or ""
    mine = facts["subject.name"] or _name_in(title)
    if not mine:
        return
    for row in facts["results.models"]:
        found = mismatch(row["name"], mine)
        if not found:
            continue
        titled = len(plain(row["name"])) > LEAST_TASK and plain(row["name"]) in plain(title)
        if found.why == "words" and titled:
            continue  # a repository under another name than its model
        place = Location(row["file"], row["line"], row["column"])
        facts.add(
            "claims.foreign_names", place, name=row["name"][:80], mine=mine[:80], why=found.why, left=found.left, right=found.right,
            results=row["results"],
        )  # fmt: skip


def _name_in(title: str) -> str | None:
    """Return the model's name where the title is nothing else."""
    text = re.sub(r"^(?:model card (?:for|of)|the model)\s{1,3}", "", MARKUP.sub(r"\1", title).strip(), flags=re.IGNORECASE).strip()
    return text if re.fullmatch(r"[\w./-]{3,100}", text) and re.search(r"[-_\d]", text) else None


class _Table:
    """A table of the card without its markup."""

    def __init__(self, row: Row) -> None:
        self.row = row
        self.raw: Cells = [[str(cell) for cell in line] for line in (row["header"], *row["cells"])]
        self.cells: Cells = [[MARKUP.sub(lambda found: found[1] or "", cell).strip() for cell in line] for line in self.raw]

    def has_scores(self) -> bool:
        """Tell whether there are at least two decimal numbers."""
        return sum(1 for line in self.cells for cell in line if "." in cell and NUMBER.match(cell)) > 1

    def by_columns(self) -> _Table:
        """Return the table with rows for columns."""
        other = _Table.__new__(_Table)
        other.row = self.row
        width = max((len(line) for line in self.cells), default=0)
        other.raw, other.cells = (
            [[line[at] if at < len(line) else "" for line in cells] for at in range(width)] for cells in (self.raw, self.cells)
        )
        return other


def _tasks(facts: Facts) -> dict[str, list[Row]]:
    """Return the results of each task that has one configuration only: a table's mean over languages is none of them."""
    tasks: dict[str, list[Row]] = {}
    configs: dict[str, set[str]] = {}
    for row in facts["results.entries"]:
        key = plain(task_name(row["dataset"]).replace("/", ""))
        if len(key) >= LEAST_TASK and row["value"] is not None and row["range"]:
            tasks.setdefault(key, []).append(row)
            configs.setdefault(key, set()).add(f"{row['config']} {row['dataset']} {row['model']}")
    return {key: rows for key, rows in tasks.items() if len(configs[key]) == 1}


def _contradictions(facts: Facts, tables: list[_Table]) -> None:
    tasks = _tasks(facts)
    mine = _mine(facts)
    lines = facts["card.text"].split("\n")
    first_line = facts.places["card.text"].line or 1
    for table in tables:
        start = table.row["line"] - first_line
        before = _before(lines, start)
        if VARIANT.search(before):
            continue
        for grid, transposed in ((table, False), (table.by_columns(), True)):
            differing: list[tuple[str, int, int, Row]] = []
            for task, label, at, column in _cells(grid, tasks, mine):
                named = _metrics_named(label) or _metrics_named(before + " " + grid.cells[0][0])
                line, place_in = (column, at) if transposed else (at, column)
                if found := _disagrees(table.cells[line][place_in], tasks[task], named):
                    differing.append((label, line, place_in, found))
            if differing:
                label, line, place_in, found = differing[0]
                stated = table.cells[line][place_in]
                place = _place(table, lines, first_line, (line, place_in))
                facts.add(
                    "claims.contradictions", place, task=label, stated=stated, metric=found["metric"], indexed=_rounded(found, stated),
                    count=len(differing),
                )  # fmt: skip


def _rounded(row: Row, stated: str) -> str:
    """Return a value as model-index has it, with one digit more than the table."""
    number, value = NUMBER.match(stated), float(row["written"])
    digits = len(number[2] or "") if number else 0
    return min(str(round(value, digits + (1 if abs(value) > 1 else 3))), str(row["written"]), key=len)


def _before(lines: list[str], start: int) -> str:
    """Return what stands over a table in its section, the heading included."""
    first = max(0, start - 8)
    heading = next((at for at in range(start - 1, first - 1, -1) if lines[at].startswith("#")), first)
    return " ".join(lines[heading:start])[-CONTEXT:]


def _mine(facts: Facts) -> set[str]:
    names = (
        [facts["subject.name"]]
        if facts["subject.name"]
        else [_name_in(facts["card.title"] or ""), *(row["name"] for row in facts["results.models"])]
    )
    return {plain(name) for name in names if name} | {"ours", "thismodel", "ourmodel"}


def _cells(grid: _Table, tasks: dict[str, list[Row]], mine: set[str]) -> Iterator[tuple[str, str, int, int]]:
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


def _metrics_named(text: str) -> set[str]:
    """Return the metrics that a label or the text before a table names."""
    names = {found.lower().replace("-", "_").replace(" ", "_") for found in METRIC.findall(text)}
    short = {"r": "recall", "p": "precision", "acc": "accuracy", "vmeasure": "v_measure"}
    return {short.get(name, name) for name in names}


def _disagrees(written: str, rows: list[Row], named: set[str]) -> Row | None:
    """Return the headline result of a task if none of its results is what the table says."""
    number = NUMBER.match(written)
    if not number:
        return None
    fitting = [row for row in rows if not named or any(name in row["metric"].lower() for name in named)]
    if not fitting:  # the table shows another metric than model-index
        return None
    step = 10.0 ** -len(number[2] or "")
    stated, off = float(number[1]), 0.5 * step
    if max(abs(row["value"]) for row in rows) <= 1.0:
        fitting = [{**row, "value": row["value"] * 100} for row in fitting]
    if stated <= 1.0 and max(row["value"] for row in fitting) > 1.5:
        stated, off = stated * 100, off * 100
    if any(abs(row["value"] - stated) <= off + TOLERANCE for row in fitting):
        return None
    return next((row for name in HEADLINES for row in fitting if row["metric"] == name), fitting[0])


def _place(table: _Table, lines: list[str], first_line: int, cell: tuple[int, int]) -> Location:
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
