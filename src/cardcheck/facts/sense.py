"""Which data set a name means that may mean two: STS-B is the STS Benchmark to most, and its Chinese translation to others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cardcheck.catalogue.aliases import Match
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cardcheck.facts.model import Facts
    from cardcheck.facts.prose import Prose

MAX_LANGUAGES = 200
ORIGINAL = Match("same", ("STSBenchmark",), "the STS Benchmark, by the language of the model or the English sets beside it")
TRANSLATED = Match("same", ("STSBenchmarkMultilingualSTS",), "the STS Benchmark in the language of the model")
CHINESE = Pattern(r"chinese|(?:^|[-_/ ])(?:zh|cmn|zho|cn)(?:$|[-_/ ])", re.IGNORECASE)
HAN = Pattern(r"[\u4e00-\u9fff]{2}")
KANA = Pattern(r"[\u3040-\u30ff]")
ENGLISH_SETS = Pattern(
    r"^(?:s|m|multi|all|q|med|sci)[-_]?nli$|^sick(?:-r)?$|^sts-?(?:20)?1[2-7]$|^(?:qqp|mrpc|biosses|scitail)$",
    re.IGNORECASE,
)


class Sense:
    """What the card says of the model's language, as far as it decides what a name means."""

    def __init__(self, facts: Facts, prose: Prose, names: Iterable[str]) -> None:
        self.languages = {re.split(r"[-_ ]", name.lower(), maxsplit=1)[0] for name in facts["card.language"][:MAX_LANGUAGES]}
        self.among_english = any(ENGLISH_SETS.search(name.rpartition("/")[2]) for name in names)
        called = (facts["subject.id"] or "", facts["card.title"] or "", *facts["card.base_model"], *facts["card.tags"][:MAX_LANGUAGES])
        self.is_chinese = bool(
            self.languages & {"zh", "zho", "cmn", "chinese"}
            or any(CHINESE.search(name) for name in called)
            or (HAN.search(prose.words) and not KANA.search(prose.words))
        )

    def of(self, match: Match | None, name: str) -> Match | None:
        """Return what a name that was read as `match` means here; an ambiguous one stays so where nothing decides."""
        if match is None or "STSBenchmark" not in match.tasks or "/" in name or self.is_chinese:
            return match
        own = self.languages - {"multilingual", "code"}
        if own and not own & {"en", "eng", "english"} and "multilingual" not in self.languages:
            return TRANSLATED if match.tasks == ("STSBenchmark",) or match.kind == "ambiguous" else match
        return ORIGINAL if match.kind == "ambiguous" and (own or self.among_english) else match
