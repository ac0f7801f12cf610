"""cardcheck heldout: build, list, show and verify held-out sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cardcheck.cli.options import FOLDER, progress

if TYPE_CHECKING:
    from pathlib import Path

    from cardcheck.spotcheck.building.build import Built

JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
DATE = click.DateTime(["%Y-%m-%d"])


@click.group(name="heldout")
def command() -> None:
    """Build, list, show and verify held-out retrieval sets."""


@command.command()
@click.argument("folder", type=FOLDER)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option("--language", required=True, metavar="CODE", help="The documents' language, such as en or de.")
@click.option("--name", help="The set's name.  [default: the folder's]")
@click.option("--edition", type=click.IntRange(min=1), default=1, show_default=True, help="Which edition of the set it is.")
@click.option("--date", type=DATE, help="When the set was made.  [default: today]")
@click.option("--license", "license_", metavar="SPDX", help="The set's licence.  [default: what the sources state]")
@click.option("--domain", default="", help="The domain of all queries.  [default: what the source states, else the first folder]")
@click.option("--after", type=DATE, help="Leave out documents of this day or before, and those without a date.")
@click.option("--words", type=click.IntRange(min=20), default=200, show_default=True, help="The most words in a passage.")
@click.option("--min-words", type=click.IntRange(min=1), default=15, show_default=True, help="Leave out shorter passages.")
@click.option("--near", type=click.FloatRange(0.3, 1), default=0.7, show_default=True, help="From what likeness on one of two is removed.")
@click.option("--known", multiple=True, metavar="FOLDER", type=FOLDER, help="A public set; passages found in it go; may be repeated.")
@click.option("--older", multiple=True, metavar="FILE", type=FOLDER, help="A list of Debian packages whose entries are not new.")
@click.option("--field", "fields", multiple=True, metavar="FIELD=COLUMN", help="The column of text, title, query, date, domain or id.")
@click.option("--query-command", metavar="COMMAND", help="Gets a passage on its input and prints queries, one a line; no shell.")
@click.option("--per-passage", type=click.IntRange(min=1), default=1, show_default=True, help="How many of these are taken.")
@click.option("--command-time", type=click.FloatRange(min=0.1), default=120, show_default=True, metavar="SECONDS", help="For a passage.")
@click.option("--queries", type=click.IntRange(min=1), help="Keep this many queries, drawn by the seed.  [default: all]")
@click.option("--most", type=click.IntRange(min=1), default=1000, show_default=True, help="Documents from each dated public source.")
@click.option("--model", "models", multiple=True, metavar="FOLDER", type=FOLDER, help="A model to try the set with; may be repeated.")
@click.option("--device", default="cpu", show_default=True, help="Where models encode: cpu, cuda, cuda:1, mps.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of what is drawn.")
@click.option("--allow-host", multiple=True, metavar="HOST", help="A host that may lie on this machine or network; may be repeated.")
@click.option("--force", is_flag=True, help="Replace the set that is there.")
@JSON
def build(folder: Path, sources: tuple[str, ...], *, as_json: bool, **given: Any) -> None:
    """Make a held-out set in FOLDER from documents.

    A SOURCE is a folder of Markdown, text, HTML and PDF, a BEIR folder, a file of JSON lines, CSV or Parquet, or a dated public source:
    arxiv:cat:cs.CL, wikipedia:de, debian:de, rustsec:FOLDER, each also as KIND:PATH to saved answers or KIND:ADDRESS.
    """
    from cardcheck.cli import echo
    from cardcheck.report.json import dumps
    from cardcheck.spotcheck.building.build import build as run

    built = run(_plan(folder, sources, given), progress)
    if as_json:
        from dataclasses import asdict

        echo(dumps(asdict(built) | {"folder": str(built.folder)}))
    else:
        echo(_summary(built))


def _plan(folder: Path, sources: tuple[str, ...], given: dict[str, Any]) -> Any:
    import shlex
    import sys
    from datetime import UTC, datetime

    from cardcheck.spotcheck.building.build import Plan
    from cardcheck.spotcheck.building.command import Command
    from cardcheck.spotcheck.building.tables import FIELDS
    from cardcheck.spotcheck.heldout import short_code

    fields = dict(text.partition("=")[::2] for text in given["fields"])
    if wrong := [name for name, column in fields.items() if name not in FIELDS or not column]:
        raise click.UsageError(f"--field {wrong[0]}: write FIELD=COLUMN, where FIELD is {', '.join(FIELDS)}")
    asks = given["query_command"] is not None
    return Plan(
        folder=folder.expanduser().absolute(), sources=sources, language=short_code(given["language"]),
        date=(given["date"] or datetime.now(UTC)).date().isoformat(), name=given["name"] or "", edition=given["edition"],
        license=given["license_"] or "", domain=given["domain"], after=given["after"].date().isoformat() if given["after"] else "",
        words=given["words"], least_words=given["min_words"], near=given["near"], known=given["known"], older=given["older"],
        fields=fields, command=Command(given["query_command"], given["command_time"], given["per_passage"]) if asks else None,
        queries=given["queries"], most=given["most"], models=given["models"], device=given["device"], seed=given["seed"],
        allow=given["allow_host"], replace=given["force"], command_line=shlex.join(["cardcheck", *sys.argv[1:]]),
    )  # fmt: skip


def _summary(built: Built) -> str:
    from cardcheck.report.escape import visible

    check = built.check
    names = {name: name.replace("_", " ") for name in built.counts}
    lines = [
        f"{visible(built.name)}: {built.counts['passages']} passages, {built.counts['queries']} queries in {visible(built.folder)}",
        "",
    ]
    lines += [f"  {names[name]:20} {count:>7,}" for name, count in built.counts.items()]
    lines += [f"    queries left out: {count} {visible(reason)}" for reason, count in built.dropped.items()]
    lines += [f"    not read: {visible(where)}: {visible(reason)}" for where, reason in built.skipped[:10]]
    lines += [f"    not read: {len(built.skipped) - 10} more"] if len(built.skipped) > 10 else []
    lines += ["", "  nDCG@10 on it              score  95 % interval"]
    lines += [
        f"    {visible(one.name)[:24]:24} {one.score:6.1f}  {one.low:.1f} to {one.high:.1f}" for one in check.scored if not one.problem
    ]
    lines += [
        f"    {visible(pair.better)} {'is told from' if pair.apart else 'is not told from'} {visible(pair.worse)}: "
        f"{pair.difference:.1f} apart ({pair.low:.1f} to {pair.high:.1f})"
        for pair in check.pairs
    ]
    lines += ["", *(f"  {click.style('warning', fg='yellow')}: {visible(text)}" for text in check.warnings)] if check.warnings else []
    return "\n".join(lines) + "\n"


@command.command(name="list")
@click.argument("folders", nargs=-1, type=FOLDER, metavar="[FOLDER]...")
@JSON
def list_sets(folders: tuple[Path, ...], *, as_json: bool) -> None:
    """List the packaged sets, and those in FOLDERs."""
    from cardcheck.report.escape import visible
    from cardcheck.report.json import dumps
    from cardcheck.spotcheck import heldout

    inside = [path.parent for folder in folders for path in sorted([*folder.glob("set.json"), *folder.glob("*/set.json")])]
    if folders and not inside:
        from cardcheck.errors import CardcheckError

        raise CardcheckError(f"there is no held-out set in {', '.join(map(str, folders))}", hint="a set's folder holds set.json")
    sets = [*map(heldout.about, heldout.names()), *map(heldout.about, inside)]
    if as_json:
        keys = ("name", "edition", "date", "language", "license", "sha256")
        click.echo(dumps([{key: getattr(one, key) for key in keys} | {"folder": str(one.folder)} for one in sets]), nl=False)
        return
    for one in sets:
        where = "packaged" if one.folder.parent == heldout.packaged() else visible(one.folder)
        click.echo(
            f"{visible(one.name):24} {visible(one.language):3} edition {one.edition}  {visible(one.date)}  {visible(one.license)}  {where}"
        )


@command.command()
@click.argument("name", metavar="SET")
@click.option("--domain", help="Only the queries of this domain.")
@click.option("--samples", type=click.IntRange(0, 100), default=3, show_default=True, help="How many queries to show with their passages.")
@click.option("--seed", type=int, default=0, show_default=True, help="Which ones.")
@JSON
def show(name: str, *, domain: str | None, samples: int, seed: int, as_json: bool) -> None:
    """Print what is in a SET: a packaged one by its name, or a folder."""
    from dataclasses import asdict

    from cardcheck.report.escape import visible
    from cardcheck.report.json import dumps
    from cardcheck.spotcheck import heldout
    from cardcheck.spotcheck.building.overview import overview

    found = heldout.load(name)
    seen = overview(found.select(domain) if domain else found, samples, seed)
    if as_json:
        click.echo(dumps(asdict(seen)), nl=False)
        return
    click.echo(f"{visible(seen.name)}: edition {seen.edition}, {visible(seen.date)}, {visible(seen.language)}, {visible(seen.license)}")
    judged = ", ".join(f"{count} of grade {grade}" for grade, count in seen.grades.items())
    click.echo(f"{seen.passages} passages, {seen.queries} queries; judgements: {judged}")
    click.echo("domains: " + ", ".join(f"{visible(key or 'none stated')} {count}" for key, count in seen.domains.items()))
    for sample in seen.samples:
        click.echo(f"\n? {visible(sample.query)}")
        for grade, text in sample.passages:
            click.echo(f"  {grade}  {visible(text)}")


@command.command()
@click.argument("names", nargs=-1, metavar="[SET]...")
@JSON
@click.pass_context
def verify(ctx: click.Context, names: tuple[str, ...], *, as_json: bool) -> None:
    """Check hash, ids, judgements, duplicates and canary of each SET; of all packaged ones where none is named."""
    from cardcheck.report.escape import visible
    from cardcheck.report.json import dumps
    from cardcheck.spotcheck import heldout
    from cardcheck.spotcheck.building.verify import verify as problems_of

    found = {name: problems_of(name) for name in names or heldout.names()}
    if as_json:
        click.echo(dumps([{"set": name, "problems": problems} for name, problems in found.items()]), nl=False)
    else:
        for name, problems in found.items():
            click.echo(f"{visible(name)}: {'nothing is wrong' if not problems else f'{len(problems)} problems'}")
            for problem in problems:
                click.echo(f"  {visible(problem)}")
    ctx.exit(int(any(found.values())))
