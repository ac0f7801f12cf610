"""cardcheck audit: judge by the files, then measure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cardcheck.cli.options import (
    FOLDER,
    asked_by,
    judging,
    measuring,
    outside_of,
    progress,
    report,
    reporting,
    seconds,
    settings_of,
    targets_of,
)

if TYPE_CHECKING:
    from cardcheck.spotcheck.check import Options
    from cardcheck.spotcheck.encode import Backend


@click.command(name="audit")
@click.argument("subject")
@judging
@reporting
@click.option("--no-spotcheck", is_flag=True, help="Judge by the files alone; measure nothing.")
@click.option("--heldout-only", is_flag=True, help="Measure on the held-out set alone, on no public task.")
@click.option(
    "--public-sets",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder with the data of public tasks in BEIR layout.  [default: the Hub's]",
)
@click.option("--set", "set_name", metavar="SET", help="The held-out set: a packaged one, or a folder of `heldout build`.")
@click.option("--language", metavar="CODE", help="Take the newest packaged set in this language.  [default: quellmark-en-1]")
@click.option("--domain", help="Measure on the set's queries of one domain: general, legal, technical, medical, support.")
@click.option(
    "--backend",
    type=click.Choice(["auto", "torch", "onnx", "openvino", "mteb"]),
    default="auto",
    show_default=True,
    help="What runs the model; auto takes ONNX where there are no safetensors weights, mteb its own loader with the prompts it knows.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the bootstrap and of the sample of queries.")
@click.option("--queries", type=click.IntRange(min=5), help="Measure with a sample of this many queries.")
@click.option("--budget", callback=seconds, metavar="TIME", help="Leave out tests that would take longer, such as 60s or 5m.")
@measuring
@click.option("--store", type=FOLDER, metavar="FILE", help="The leaderboard's store.  [default: in the cache folder]")
@click.option("--no-store", is_flag=True, help="Do not use the leaderboard's store, though there is one.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    subject: str,
    *,
    no_spotcheck: bool,
    heldout_only: bool,
    public_sets: Path | None,
    set_name: str | None,
    language: str | None,
    domain: str | None,
    backend: Backend,
    outputs: tuple[str, ...],
    as_json: bool,
    device: str,
    seed: int,
    queries: int | None,
    budget: float | None,
    time_limit: float,
    memory_limit: int | None,
    trust_remote_code: bool,
    store: Path | None,
    no_store: bool,
    hub_id: str | None,
    offline: bool,
    refresh: bool,
    allow_host: tuple[str, ...],
    form: str | None,
    **judge: Any,
) -> None:
    """Audit one embedding model: its card, its files, and its score on text it cannot have seen.

    SUBJECT is ORG/NAME or ORG/NAME@revision on the Hub, its address, a model folder, or an entry of the local Hub cache.
    """
    from cardcheck.leaderboard import evidence
    from cardcheck.pipeline import Run, audit

    if store and no_store:
        raise click.UsageError("give --store or --no-store, not both")

    targets = targets_of(outputs)
    settings = settings_of(**judge)
    measure: Options | None = None
    if not no_spotcheck:
        from cardcheck.spotcheck.check import Options
        from cardcheck.spotcheck.encode import Limits

        measure = Options(
            device=device,
            seed=seed,
            queries=queries,
            set=set_name,
            language=language,
            domain=domain,
            budget=budget,
            limits=Limits(time_limit, memory_limit),
            trust_remote_code=trust_remote_code,
            public=public_sets,
            heldout_only=heldout_only,
            backend=backend,
            offline=offline,
        )
    outside = outside_of(online=True, offline=offline, refresh=refresh, allow_host=allow_host)
    board = evidence.find(store.expanduser() if store else None, use=not no_store)
    with progress("encoding", "texts") as update:
        found = audit(
            subject,
            hub_id=hub_id,
            offline=offline,
            settings=settings,
            measure=measure,
            outside=outside,
            leaderboard=board,
            progress=update,
        )
    run = Run("audit", [found], asked_by(outside))
    report(run, form, targets, as_json=as_json)
    ctx.exit(int(run.failed(settings.fail_on)))
