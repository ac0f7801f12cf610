"""cardcheck shortlist: the models that meet one's limits, by what score to expect of them on the tasks that one cares for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cardcheck.cli.options import FOLDER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cardcheck.leaderboard.shortlist import Entry, Shortlist

KINDS = ("embedding", "late", "sparse", "hybrid", "reranker", "router")
UNKNOWN = ("memory", "dimension", "tokens", "licence", "code", "results", "all")
LOOSE = 3  # models that are printed of those placed loosely
TRAINED = 10  # letters of "115 of 560"
NAMED = 5  # models that are named of those that could not be judged; JSON names all


@click.command()
@click.option("--modality", "modalities", multiple=True, metavar="KIND", help="text, image, audio, video or document; repeat it for pairs.")
@click.option("--language", "languages", multiple=True, metavar="CODE", help="A language, as de or deu; may be repeated.")
@click.option("--domain", "domains", multiple=True, metavar="DOMAIN", help="A domain, as legal, medical or code; may be repeated.")
@click.option(
    "--task", "types", multiple=True, metavar="TYPE",
    help="retrieval, classification, clustering, sts, MTEB's types, or all.  [default: retrieval of text and documents, else all]",
)  # fmt: skip
@click.option("--benchmark", metavar="NAME", help="The tasks of a benchmark of MTEB.")
@click.option("--max-memory", metavar="SIZE", help="The most that the weights take, as 500MB or 1.5GB.")
@click.option("--max-dim", "dimension", type=click.IntRange(min=1), metavar="N", help="The largest vector.")
@click.option("--min-tokens", "tokens", type=click.IntRange(min=1), metavar="N", help="The longest text that it must take.")
@click.option("--license", "licences", multiple=True, metavar="NAME", help="A licence, open, or commercial; may be repeated.")
@click.option("--open-weights", is_flag=True, help="Only models that can be downloaded.")
@click.option("--no-remote-code", is_flag=True, help="Only models that load without code of their repository.")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(KINDS), help="What it gives.  [default: all but rerankers]")
@click.option("--include", multiple=True, type=click.Choice(UNKNOWN), help="Also models of which this is not known; may be repeated.")
@click.option("--limit", type=click.IntRange(min=1), default=10, show_default=True, help="How many models are printed; JSON has all.")
@click.option("--plot", type=FOLDER, metavar="FILE.svg", help="Write a picture of score against memory.")
@click.option("--store", "file", type=FOLDER, metavar="FILE", help="The store of results.  [default: in the cache folder]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def command(
    *, max_memory: str | None, dimension: int | None, tokens: int | None, licences: tuple[str, ...], open_weights: bool,
    no_remote_code: bool, kinds: tuple[str, ...], include: tuple[str, ...], limit: int, plot: Path | None, file: Path | None, as_json: bool,
    **tasks: Any,
) -> None:  # fmt: skip
    """Choose models: by the score to expect of them on the tasks that you name, then by memory.

    The score is what all of a model's results lead one to expect on such tasks, with a 90 % interval. * marks models of which
    no smaller one scores higher. Models of which a limit cannot be judged are counted apart; --include lets them pass.
    """
    from cardcheck.leaderboard import store
    from cardcheck.leaderboard.shortlist import EMBEDDINGS, shortlist
    from cardcheck.leaderboard.shortlist_facts import Limits, megabytes
    from cardcheck.leaderboard.shortlist_tasks import Choice

    _check(licences, plot, **tasks)
    memory = megabytes(max_memory) if max_memory is not None else None
    limits = Limits(memory, dimension, tokens, licences, open_weights, no_remote_code)
    opened = store.open_store(file.expanduser() if file else None)
    found = shortlist(opened, Choice(**tasks), limits, kinds=kinds or EMBEDDINGS, include=include)
    if plot:
        from cardcheck.leaderboard.shortlist_plot import svg
        from cardcheck.report.board import write

        write(plot.expanduser(), svg(found).encode("utf-8", "backslashreplace"))
    from cardcheck.cli import echo
    from cardcheck.report.json import dumps

    echo(dumps({"store": opened.head.source, **found.document()}) if as_json else text(found, limit))


def _check(
    licences: Sequence[str], plot: Path | None, *, languages: Sequence[str], domains: Sequence[str], benchmark: str | None,
    modalities: Sequence[str], types: Sequence[str],
) -> None:  # fmt: skip
    """Raise CardcheckError for a word that nothing is called by, before any work is done."""
    from cardcheck.leaderboard import asked, boards
    from cardcheck.leaderboard.shortlist_facts import licences_known, types_of
    from cardcheck.leaderboard.shortlist_tasks import DOMAINS, MODALITIES

    if plot and plot.suffix.lower() != ".svg":
        raise click.UsageError(f"--plot {plot}: it writes SVG, so name it FILE.svg")
    if benchmark is not None:
        boards.board(benchmark)
    asked.check(modalities, MODALITIES, "modality")
    for word in types:
        if word.strip().lower() != "all":
            types_of(word)
    asked.check_tasks(domains=[word for word in domains if word.lower() not in DOMAINS])
    asked.check_languages(languages)
    asked.check([name for name in licences if not name.lower().startswith("http")], {"open", "commercial", *licences_known()}, "licence")


def text(found: Shortlist, limit: int) -> str:
    """Return a short list for a terminal: two lines a model."""
    from cardcheck.cli.words import short
    from cardcheck.report.escape import visible
    from cardcheck.report.words import count

    firm = [entry for entry in found.entries if entry.firm]
    loose = [entry for entry in found.entries if not entry.firm]
    shown = [*firm[:limit], *loose[:LOOSE]]
    width = max([len(short(entry.placed.model)) for entry in shown] + [5]), len(f"{len(found.tasks)}/{len(found.tasks)}")
    meet = f"{len(found.entries) or 'none'} {'meets' if len(found.entries) == 1 else 'meet'} the limits"
    last = f"{'trained':>{TRAINED}} {'ran':>{width[1]}}"
    lines = [
        f"{visible(found.question)}: {count(len(found.tasks), 'task')}, {count(found.ranked, 'model')} with results, {meet}",
        "",
        f"    {'model':{width[0]}} {'score':>5} {'90 %':>8} {'MTEB':>5} {'memory':>8} {'vector':>6} {'tokens':>6} {last}",
        *_rows(firm[:limit], 1, width, found),
    ]
    lines += [f"    … {len(firm) - limit} more; --limit shows them"] if len(firm) > limit else []
    lines += [] if firm else ["    none"]
    if loose:
        lines += ["", f"Placed too loosely to be ordered among them: {len(loose)}", *_rows(loose[:LOOSE], 0, width, found)]
    return "\n".join([*lines, "", *(visible(note) for note in _notes(found))]) + "\n"


def _rows(entries: Sequence[Entry], first: int, width: tuple[int, int], found: Shortlist) -> list[str]:
    from cardcheck.report.escape import visible

    lines = []
    for place, entry in enumerate(entries, first):
        lines.append(_line(str(place) if first else "", entry, width, found))
        lines += [f"     {visible(entry.reason)}"] if entry.reason else []
    return lines


def _line(place: str, entry: Entry, width: tuple[int, int], found: Shortlist) -> str:
    from cardcheck.cli.words import short
    from cardcheck.leaderboard.shortlist_words import megabytes, tokens, trained

    placed, about = entry.placed, entry.about
    interval = f"{100 * placed.low:.0f} to {100 * placed.high:.0f}"
    mark = "*" if entry.front else " "
    vector = str(about.dimensions[0]) if about.dimensions else "?"
    return (
        f"{place:>2} {mark}{short(placed.model):{width[0]}} {100 * placed.score:5.1f} {interval:>8} {entry.official or '–':>5} "
        f"{megabytes(about.memory):>8} {vector:>6} {tokens(about.tokens):>6} {trained(entry, found.trainable):>{TRAINED}} "
        f"{f'{placed.tasks}/{len(found.tasks)}':>{width[1]}}"
    )


def _notes(found: Shortlist) -> list[str]:
    notes = ["* no smaller model scores higher; within a point the smaller one comes first.", *found.notes]
    if found.calibrated:
        notes.append(f"Intervals: 90 %, as wide as {found.calibrated} hidden scores of left-out makers asked for.")
    for why, models in found.unjudged.items():
        meant = "no results on such tasks" if why == "results" else f"{why} unknown"
        more = f" and {len(models) - NAMED} more" if len(models) > NAMED else ""
        include = " ".join(f"--include {limit}" for limit in why.split(" and "))
        notes.append(f"Could not be judged, {meant}: {len(models)} ({', '.join(models[:NAMED])}{more}; {include}).")
    if found.out:
        notes.append("Out: " + ", ".join(f"{count} {why}" for why, count in found.out.items()) + ".")
    return notes
