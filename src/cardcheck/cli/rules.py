"""cardcheck rules: list, explain and test the rules."""

from __future__ import annotations

from pathlib import Path

import click

FOLDERS = click.option(
    "--rules",
    "folders",
    multiple=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="A further folder of rules; may be repeated.",
)


@click.group(name="rules")
def command() -> None:
    """List, explain and test the rules."""


@command.command(name="list")
@FOLDERS
def list_rules(folders: tuple[Path, ...]) -> None:
    """Print one line a rule."""
    from cardcheck.engine.library import load_rules

    for rule in load_rules(folders):
        click.echo(f"{rule.id}  {rule.severity:8} {rule.category:11} {rule.profile:8} {rule.name}")


@command.command()
@click.argument("rule_id", metavar="ID")
@FOLDERS
def explain(rule_id: str, folders: tuple[Path, ...]) -> None:
    """Print what a rule looks for, why, and how to fix it."""
    from cardcheck.engine.library import load_rules
    from cardcheck.engine.page import page
    from cardcheck.errors import CardcheckError

    found = next((rule for rule in load_rules(folders) if rule_id.upper() in (rule.id, rule.name.upper())), None)
    if found is None:
        raise CardcheckError(f"there is no rule {rule_id}", hint="`cardcheck rules list` names them")
    click.echo(page(found), nl=False)


@command.command()
@FOLDERS
@click.pass_context
def test(ctx: click.Context, folders: tuple[Path, ...]) -> None:
    """Run every rule's own examples."""
    from cardcheck.engine.examples import check_examples
    from cardcheck.engine.library import load_rules

    rules = load_rules(folders)
    problems = [problem for rule in rules for problem in check_examples(rule)]
    for problem in problems:
        click.echo(problem)
    examples = sum(len(rule.fails_on) + len(rule.passes_on) for rule in rules)
    click.echo(f"{len(rules)} rules, {examples} examples, {len(problems)} wrong")
    ctx.exit(int(bool(problems)))


@command.command()
@click.argument("folder", type=click.Path(path_type=Path))
@FOLDERS
def docs(folder: Path, folders: tuple[Path, ...]) -> None:
    """Write every rule's page into a folder, and an index of them."""
    from cardcheck.engine.library import load_rules
    from cardcheck.engine.page import index, page
    from cardcheck.report import write

    rules = load_rules(folders)
    for rule in rules:
        write(folder / f"{rule.id}.md", page(rule))
    write(folder / "README.md", index(rules))
    click.echo(f"{len(rules)} pages in {folder}")
