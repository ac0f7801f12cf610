"""cardcheck references: the models that say what to expect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cardcheck.cli.options import FOLDER, progress

if TYPE_CHECKING:
    from pathlib import Path

JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


@click.group(name="references")
def command() -> None:
    """Measure and list reference models, which say what held-out score to expect."""


@command.command()
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@click.option("--id", "hub_id", help="The Hub id of the one MODEL, where it is a folder.")
@click.option("--set", "sets", multiple=True, metavar="SET", help="A packaged held-out set, or a folder; may be repeated.  [default: all]")
@click.option("--public-sets", type=FOLDER, metavar="DIR", help="A folder with the data of public tasks in BEIR layout.")
@click.option("--heldout-only", is_flag=True, help="Leave public tasks out.")
@click.option("--device", default="cpu", show_default=True, help="Where to encode and search: cpu, cuda, cuda:1, mps.")
@click.option("--offline", is_flag=True, help="Ask nobody.")
@click.option("--again", is_flag=True, help="Measure also what is known.")
@JSON
def measure(
    *, models: tuple[str, ...], hub_id: str | None, sets: tuple[str, ...], public_sets: Path | None, heldout_only: bool, device: str,
    offline: bool, again: bool, as_json: bool,
) -> None:  # fmt: skip
    """Measure MODELs on held-out sets and keep the scores beside the packaged ones.

    A MODEL is ORG/NAME on the Hub, a folder, or an entry of the Hub's cache. What is finished is kept, and not done again.
    """
    from cardcheck.cli import echo
    from cardcheck.errors import CardcheckError
    from cardcheck.report.escape import visible
    from cardcheck.report.json import dumps
    from cardcheck.spotcheck import heldout, public, references, referring
    from cardcheck.spotcheck.measure import Options
    from cardcheck.subject import resolve

    if hub_id and len(models) > 1:
        raise CardcheckError("--id is for one model")
    place = None if heldout_only else public.find(public.TASKS[0], public_sets, offline=offline)
    task = references.as_evaluated(public.load(public.TASKS[0], place)) if place else None
    chosen = referring.Sets([heldout.load(name) for name in sets or heldout.names()], task)
    options = Options(device=device, public=public_sets, offline=offline)
    found: list[dict[str, Any]] = []
    for given in models:
        subject = resolve(given, hub_id=hub_id, offline=offline)
        name = hub_id or subject.id
        if name is None:
            raise CardcheckError(f"{given} has no Hub id", hint="say with --id which model it is")
        if not again and referring.measured(name, chosen):
            found.append({"id": name, "scores": None})
            continue
        with progress(f"measuring {name}", "texts") as update:
            found.append({"id": name, "scores": referring.add(subject, name, chosen, options, update)})
    if as_json:
        echo(dumps({"models": found}))
        return
    for row in found:
        scores = row["scores"]
        told = (
            ", ".join(f"{visible(name)} {score:.1f}" for name, score in scores.items())
            if scores
            else "known already; --again measures it anew"
        )
        echo(f"{visible(row['id'])}: {told}\n")


@command.command(name="list")
@click.option("--set", "set_name", metavar="SET", help="The held-out set.  [default: the packaged one in English]")
@JSON
def list_(*, set_name: str | None, as_json: bool) -> None:
    """List the reference models of a held-out set, with panel level and held-out score."""
    from cardcheck.cli import echo
    from cardcheck.report.escape import visible
    from cardcheck.report.json import dumps
    from cardcheck.spotcheck import heldout, references

    held_out = heldout.load(set_name or heldout.DEFAULT)
    rows = [
        {
            "id": model.id,
            "note": model.note,
            "independent": model.independent,
            "panel": round(place.value, 1) if (place := model.panel) else None,
            "source": place.source if place else None,
            "heldout": round(sum(model.per_query.values()) / len(model.per_query) * 100, 1),
        }
        for model in references.references(held_out.name, held_out.sha256)
    ]
    if as_json:
        echo(dumps({"set": held_out.name, "sha256": held_out.sha256, "models": rows}))
        return
    echo(f"{visible(held_out.name)} ({len(held_out.queries)} queries, {len(held_out.corpus)} passages)\n")
    for row in sorted(rows, key=lambda row: -float(str(row["heldout"]))):
        level = f"{row['panel']:5.1f}" if row["panel"] is not None else "    –"
        echo(f"  held-out {row['heldout']:5.1f}  panel {level}  {visible(row['id'])} ({visible(row['note'])})\n")
