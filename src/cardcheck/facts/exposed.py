"""The work behind the group `overlap`: declarations, annotation and lineage are matched to tasks, and benchmarks are judged."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from cardcheck.catalogue import aliases, tasks, training
from cardcheck.facts.datasets import task_name
from cardcheck.facts.declared import BOARDS, FRONT_MATTER, PAPER, TEXT, Declaration, declarations
from cardcheck.facts.located import Location
from cardcheck.facts.overlap import DECLARED, HEADLINES, NONE, SILENT, UNSURE, add_verdict
from cardcheck.facts.parents import Parent, parents

if TYPE_CHECKING:
    from cardcheck.facts.model import Facts
    from cardcheck.facts.prose import Prose

MTEB, BASE = "mteb", "base model"
RELATIONS = ("same", "variant", "source")  # the surest first
SPLITS = ("same", "tests only", "other", "unknown")
SHOWN = 6  # names in a message
WAYS = 3  # shown of a benchmark
LEAST_STATED = 3  # tasks of a benchmark, and half of all, whose scores make a card speak of it
CUSTOMARY = "MSMARCO"  # retrievers are trained on it as a matter of course: who says "zero-shot" does not mean it


class Hit(NamedTuple):
    """One way by which a task's data is in the declared training data."""

    task: str
    origin: str
    name: str
    relation: str
    split: str
    path: str
    place: Location

    @property
    def rank(self) -> tuple[int, int, int]:
        """The smaller, the more there is behind it."""
        near = (FRONT_MATTER, TEXT, PAPER, MTEB, BASE).index(self.origin)
        return RELATIONS.index(self.relation), SPLITS.index(self.split), near


class Exposure:
    """What the subject was trained on by all accounts."""

    def __init__(self, facts: Facts, prose: Prose) -> None:
        self.facts = facts
        self.id: str = facts["subject.id"] or ""
        self.here = facts.place(["card.base_model", "lineage.opening", "card"])
        self.declared = declarations(facts, prose)
        self.known = training.annotation(self.id) if self.id else None
        self.parents = parents(facts, prose)
        self.hits: dict[str, Hit] = {}
        self.carded: set[str] = set()  # tasks that the card itself covers

    def fill(self) -> None:
        """Set every fact of the group."""
        for one in self.declared:
            self._declaration(one)
        self.carded = {task for task, hit in self.hits.items() if hit.relation != "source" and hit.origin != PAPER}
        self._annotations()
        for hit in sorted(self.hits.values(), key=lambda hit: (hit.rank, hit.task)):
            row = {key: value[:200] for key, value in hit._asdict().items() if key != "place"}
            self.facts.add("overlap.tasks", hit.place, **row)
        for parent in self.parents:
            row = {"id": parent.id[:120], "via": parent.via[:120], "depth": parent.depth, "state": parent.state}
            self.facts.add("overlap.parents", parent.place, **row)
        scored = self._scored()
        for benchmark in (*HEADLINES, *(name for name in tasks.benchmarks() if name not in HEADLINES and _is_stated(name, scored))):
            self._judge(benchmark, scored)
        self._overlapping_scores(scored)
        self._undeclared()
        self._contradicted()

    # ── what leads to tasks ──

    def _declaration(self, one: Declaration) -> None:
        if one.match is None or one.match.kind == "ambiguous":
            problem = one.problem or ("ambiguous" if one.match else "unknown")
            meant = aliases.near(one.name) if problem == "unknown" and one.origin == FRONT_MATTER else None
            why = one.match.why if one.match else ""
            self.facts.add("overlap.unrecognised", one.place, name=one.name[:120], origin=one.origin, problem=problem, meant=meant, why=why)
            return
        self._match(one.match, one.origin, one.name, one.way or one.origin, one.place, tests=one.tests)

    def _annotations(self) -> None:
        """Take what mteb lists for the subject and for each of its parents."""
        if self.known is not None:
            self.facts.set("overlap.annotation", _annotated(self.known))
            self._listed(self.known, MTEB, "mteb's annotation", self.here)
        for parent in self.parents:
            if known := training.annotation(parent.id):
                self._listed(known, BASE, f"{BASE} {parent.id} (mteb)", parent.place)

    def _listed(self, known: training.Annotation, origin: str, way: str, place: Location) -> None:
        for name in known.data or ():
            match = aliases.data_set(name)
            if match is None or match.kind == "ambiguous":
                problem, why = ("ambiguous", match.why) if match else ("unknown", "")
                self.facts.add("overlap.unrecognised", place, name=name[:120], origin=origin, problem=problem, meant=None, why=why or way)
            else:  # annotators list translations and Nano sets for completeness, so a name of a test set says nothing of the split
                self._match(match, origin, name, way, place, tests=False)

    def _match(self, match: aliases.Match, origin: str, name: str, way: str, place: Location, *, tests: bool) -> None:
        for base in match.tasks:
            for task, why in aliases.related(base).items():
                relation = "source" if match.kind == "source" else "variant" if why else "same"
                steps = [way, name, *([base] if base.lower() != name.lower() else []), *([f"{task} ({why})"] if why else [])]
                hit = Hit(task, origin, name, relation, _split(task, base, match, tests=tests, origin=origin), " → ".join(steps), place)
                if task not in self.hits or hit.rank < self.hits[task].rank:
                    self.hits[task] = hit

    # ── what follows for a benchmark ──

    def _judge(self, benchmark: str, scored: set[str]) -> None:
        held = tasks.tasks_of(benchmark)
        inside = [hit for task, hit in self.hits.items() if task in held and hit.relation != "source"]
        unclear = self._unclear() + len({hit.name for task, hit in self.hits.items() if task in held and hit.relation == "source"})
        zero_shot = training.zero_shot(self.id, benchmark) if self.id else None
        ours = int(100 - 100 * (len(inside) / len(held)))
        seen = sorted(hit.task for hit in inside)
        add_verdict(
            self.facts,
            inside[0].place if inside else self.here,
            benchmark=benchmark,
            verdict=DECLARED if inside else SILENT if not self._is_declared() else UNSURE if unclear else NONE,
            tasks=len(held),
            overlapping=len(inside),
            unclear=unclear,
            private=tasks.private(benchmark),
            scored=len(held & scored),
            scored_overlap=len(scored.intersection(seen)),
            shown=_shown([*(task for task in seen if task in scored), *(task for task in seen if task not in scored)]),
            zero_shot=zero_shot,
            mended=training.zero_shot(self.id, benchmark, mended=True) if self.id else None,
            ours=ours if self._is_declared() or inside else None,
            why=self._why(inside, zero_shot, ours),
            ways=_ways(inside),
        )

    def _is_declared(self) -> bool:
        """Tell whether anybody says what the subject itself was trained on; of a converted model, that is what its parent was."""
        by_parent = self.facts["lineage.is_untrained"] and any(parent.state == "listed" for parent in self.parents)
        return bool(self.declared or by_parent or (self.known is not None and self.known.data is not None))

    def _unclear(self) -> int:
        """Count what may hold any task: names without a meaning, parents without data, an empty list that nobody can check."""
        silent = sum(1 for parent in self.parents if not _is_known(parent))
        empty = self.known is not None and self.known.data == () and not self.known.public_data
        listed = self.known is not None and bool(self.known.data)
        names = sum(1 for row in self.facts["overlap.unrecognised"] if not (listed and row["problem"] == "prose"))
        return names + silent + int(empty)

    def _why(self, inside: list[Hit], zero_shot: int | None, ours: int) -> str:
        """Say why mteb's zero-shot share is another than this one."""
        if zero_shot is None:
            return "mteb does not say what this model was trained on" if self.known else "mteb does not know this model"
        counted = training.counted(self.id) or frozenset()
        mended = training.counted(self.id, mended=True) or frozenset()
        more = [hit for hit in inside if hit.task not in counted]
        if not more:
            return "mteb counts the same tasks" if ours == zero_shot else "mteb counts by the names in its list alone"
        reasons: Counter[str] = Counter()
        for hit in more:
            if hit.task in mended:
                reasons["under a misspelt name in its list"] += 1
            elif hit.origin == MTEB or not counted.isdisjoint(aliases.related(hit.task)):
                reasons["on the same data as a listed task"] += 1
            else:
                reasons[
                    "of a base model" if hit.origin == BASE else f"that the {'paper' if hit.origin == PAPER else 'card'} alone declares"
                ] += 1
        return "mteb leaves out tasks: " + ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())

    def _scored(self) -> set[str]:
        """Return the tasks whose scores the card or `.eval_results` shows."""
        found: set[str] = set()
        named = {row["dataset"]: row["dataset_id"] for row in self.facts["results.entries"]}
        named |= {row["dataset"]: row["dataset"] for row in self.facts["evalresults.entries"]}
        for name, data_id in named.items():
            if task := aliases.spelled_alike(task_name(name)):
                found.add(task)
            else:
                found.update(tasks.by_data().get((data_id or "").lower(), ()))
        return found

    def _overlapping_scores(self, scored: set[str]) -> None:
        """Note that scores are shown for tasks whose data was trained on, in one row."""
        inside = sorted((hit for task, hit in self.hits.items() if task in scored and hit.relation != "source"), key=lambda hit: hit.task)
        if inside:
            first = min(inside, key=lambda hit: hit.rank)
            names = _shown([hit.task for hit in inside])
            place = self.facts.place(["results", "evalresults", "card"])
            self.facts.add("overlap.scored", place, tasks=names, count=len(inside), of=len(scored), path=first.path)

    def _undeclared(self) -> None:
        """Note what mteb lists for the subject and the card does not declare: one name for all tasks on the same data, the shortest."""
        listed = [match for name in self.known.data or () if (match := aliases.data_set(name))] if self.known else []
        left: list[str] = []
        told = set(self.carded)
        for task in sorted({match.tasks[0] for match in listed if match.kind == "same"}, key=lambda task: (len(task), task)):
            if task not in told:
                left.append(task)
                told.update(aliases.related(task))
        if left:
            left.sort()
            self.facts.add("overlap.undeclared", self.here, names=_shown(left), count=len(left), declared=len(self.carded))

    def _contradicted(self) -> None:
        """Note claims not to have trained on a benchmark some of whose tasks are in the declared data."""
        customary = set(aliases.related(CUSTOMARY))
        if self.facts["training.contradicted"]:
            return
        for row in self.facts["training.statements"]:
            boards = BOARDS.get(row["what"].upper(), ()) if row["kind"] == "unseen" else ()
            held = {task for board in boards for task in tasks.tasks_of(board)} - customary
            inside = sorted(task for task, hit in self.hits.items() if task in held and hit.relation != "source")
            if inside:
                place = Location(row["file"], row["line"], row["column"])
                path = self.hits[inside[0]].path
                self.facts.add(
                    "overlap.contradicted", place, text=row["text"], board=row["what"], tasks=_shown(inside), count=len(inside), path=path
                )


def _ways(inside: list[Hit]) -> list[str]:
    """Return the surest ways, each from another name."""
    first: dict[str, str] = {}
    for hit in sorted(inside, key=lambda hit: (hit.rank, hit.task)):
        first.setdefault(hit.name.lower(), hit.path[:200])
    return list(first.values())[:WAYS]


def _split(task: str, base: str, match: aliases.Match, *, tests: bool, origin: str) -> str:
    """Say how the data trained on relates to the split that the task is evaluated on."""
    known = tasks.task(task)
    if match.kind == "source":
        return "unknown"
    if tests and task == base:
        return "same"
    if task == base and known and "train" in known.splits and not (origin in (MTEB, BASE) and "Nano" in task):
        return "same"
    return "tests only" if aliases.is_test_only(base) else "other"


def _annotated(known: training.Annotation) -> str:
    return "listed" if known.data else "none" if known.data is None else "empty"


def _is_known(parent: Parent) -> bool:
    """Tell whether somebody can say what a parent was trained on."""
    known = training.annotation(parent.id)
    return parent.state in ("listed", "plain") or (parent.state == "empty" and known is not None and bool(known.public_data))


def _is_stated(benchmark: str, scored: set[str]) -> bool:
    if len(scored) < LEAST_STATED:
        return False
    held = tasks.tasks_of(benchmark)
    return len(held & scored) >= LEAST_STATED and 2 * len(held & scored) >= len(held)


def _shown(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")
