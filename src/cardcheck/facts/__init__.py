"""What is known about a subject: typed statements, each with the place it was read from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardcheck.facts.board import NOT_LOOKED_AT, PARTS
from cardcheck.facts.card import CARD, collect_card
from cardcheck.facts.claims import collect_claims
from cardcheck.facts.config import collect_config
from cardcheck.facts.evalresults import collect_eval_results
from cardcheck.facts.files import collect_files, list_files
from cardcheck.facts.hazards import collect_hazards
from cardcheck.facts.kind import collect_model
from cardcheck.facts.leftovers import collect_leftovers, collect_targets
from cardcheck.facts.lineage import collect_lineage
from cardcheck.facts.maker import collect_maker
from cardcheck.facts.model import Facts
from cardcheck.facts.outside import collect_outside
from cardcheck.facts.prose import Prose
from cardcheck.facts.secrets import collect_secrets
from cardcheck.facts.stated import collect_stated
from cardcheck.facts.statements import collect_statements
from cardcheck.facts.training import collect_training
from cardcheck.facts.weights import collect_weights, pickle_paths

if TYPE_CHECKING:
    from cardcheck.facts.files import Listing
    from cardcheck.net.answers import Outside
    from cardcheck.subject import Subject

__all__ = ["Facts", "collect"]


def collect(
    subject: Subject,
    *,
    embedding: bool = False,
    audits: tuple[str, ...] = (),
    max_audit_age_days: int = 180,
    outside: Outside | None = None,
) -> Facts:
    """Read everything the subject's files tell, and what the outside says of it where that is asked.

    `embedding` says that the subject embeds, whatever its files say of it, and has its training data looked up in the catalogue. `audits`
    are the patterns of the audits that an application keeps, none for the usual places; older ones than `max_audit_age_days` count as old.
    Raises CardcheckError where the subject itself cannot be read; what is wrong inside it becomes a fact.
    """
    facts = Facts()
    facts.sources |= dict.fromkeys(PARTS, NOT_LOOKED_AT)
    facts.set("subject.id", subject.id)
    facts.set("subject.name", subject.id.rpartition("/")[2] if subject.id else None)
    facts.set("subject.kind", subject.kind)
    listing = list_files(subject.path, links_into=subject.blobs, known=subject.listing, only=subject.only)
    if subject.kind == "application":
        from cardcheck.facts.application import collect_application  # brings ast and the catalogue, which models do not need

        collect_application(facts, listing, audits=audits, max_age_days=max_audit_age_days)
        return facts
    if subject.kind not in ("card", "files"):  # of files that were named one by one, nobody can say which are missing
        collect_files(facts, listing)
    collect_card(facts, listing, subject.path.name if subject.kind == "card" else CARD)
    prose = Prose(facts)
    collect_leftovers(facts, prose)
    collect_stated(facts, prose)
    if subject.kind != "card":
        _collect_files(facts, listing)
    collect_hazards(facts, listing, prose)
    collect_statements(facts)
    collect_model(facts, embedding=embedding)
    collect_claims(facts, prose)
    collect_lineage(facts, prose)
    collect_maker(facts, prose)
    collect_training(facts, prose)
    collect_outside(facts, prose, outside, subject.path if subject.kind == "folder" else None, catalogue=embedding)
    collect_secrets(facts, listing)
    return facts


def _collect_files(facts: Facts, listing: Listing) -> None:
    """Read what lies beside the card."""
    collect_config(facts, listing)
    collect_weights(facts, listing)
    collect_targets(facts)
    if pickles := pickle_paths(listing):
        from cardcheck.facts.pickles import collect_pickles  # brings pickletools and zipfile, which most subjects do not need

        collect_pickles(facts, listing, pickles)
    collect_eval_results(facts, listing)
