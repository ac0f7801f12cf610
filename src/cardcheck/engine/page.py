"""A rule's page in the documentation, made from the rule itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cardcheck.engine.example import Example
    from cardcheck.engine.rule import Rule


def page(rule: Rule) -> str:
    """Return the rule's page as Markdown."""
    parts = [
        f"# {rule.id} {rule.name}",
        f"{rule.severity}, {rule.confidence} confidence, category {rule.category}, profile {rule.profile}"
        + (f", since {rule.since}" if rule.since else "")
        + (", mended by `--fix`" if rule.edit else ""),
        f"**Message:** {''.join(part if isinstance(part, str) else '{' + part.text + '}' for part in rule.message)}",
        f"## Why\n\n{rule.why}",
        f"## How to fix it\n\n{rule.fix}",
        f"## Found in\n\n{_example(rule.fails_on[0])}",
        f"## Not found in\n\n{_example(rule.passes_on[0])}",
        SILENCE.format(id=rule.id),
        f"## Condition\n\n```\n{rule.fails.text}\n```" + (f"\n\nwhere\n\n```\n{rule.when.text}\n```" if rule.when else ""),
    ]
    if rule.references:
        parts.append("## References\n\n" + "\n".join(f"- <{reference}>" for reference in rule.references))
    return "\n\n".join(parts) + "\n"


SILENCE = """## How to silence it

In a card's front matter or any file with comments, behind the line or, for the whole file, on a line of its own, with a reason:

```yaml
# cardcheck: ignore[{id}] why it does not hold here
```

In a card's text as `<!-- cardcheck: ignore[{id}] why -->`. For a project: `ignore: [{id}]`, or below `per-path`, in `cardcheck.yaml`."""
LONGEST = 1500  # characters of an example that are shown
HEAD = """# Rules

Made from the files in `rules/` by `make docs`.

| id | name | category | severity | confidence | profile |
| --- | --- | --- | --- | --- | --- |
"""


def index(rules: Iterable[Rule]) -> str:
    """Return the list of rules as Markdown."""
    fields = ((f"[{rule.id}]({rule.id}.md)", rule.name, rule.category, rule.severity, rule.confidence, rule.profile) for rule in rules)
    return HEAD + "".join(f"| {' | '.join(row)} |\n" for row in fields)


def _example(example: Example) -> str:
    blocks = [f"Hub id `{example.hub_id}`"] if example.hub_id else []
    files = {**({"README.md": example.card} if example.card is not None else {}), **example.files}
    for path, text in files.items():
        shown = text[:LONGEST].rstrip("\n").encode("ascii", "backslashreplace").decode() + (" …" if len(text) > LONGEST else "")
        blocks.append(f"`{path}`\n\n````\n{shown}\n````")
    for path, tensors in example.weights.items():
        blocks.append(f"`{path}` with " + ", ".join(f"`{name}` {dtype} {shape}" for name, (dtype, shape) in tensors.items()))
    blocks += [f"`{path}`, a link to `{target}`" for path, target in example.links.items()]
    return "\n\n".join(blocks)
