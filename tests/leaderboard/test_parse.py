"""What is read of one results file, in every layout that occurs and in what is none."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from results_made import result

from cardcheck.leaderboard.layout import BadFileError
from cardcheck.leaderboard.parse import File, parse

GOOD = result("SciFact", {"test": [("default", 0.5)]})


def read(content: Any) -> File:
    """Read what json makes of a value."""
    return parse(json.dumps(content).encode())


def test_a_file_of_today_gives_its_scores() -> None:
    """Split, subset, languages, the main score and the metrics that are kept come out, and what is said of the run."""
    file = read(GOOD)
    assert file[:4] == ("SciFact", "1", "2.0.0", 1.5)
    assert file.parts[0][:5] == ("test", "default", "eng-Latn", 0.5, 0.5)


@pytest.mark.parametrize(
    ("written", "value"), [("NaN", math.nan), ("Infinity", math.inf), ("-Infinity", -math.inf), ("null", None), ("1", 1.0)]
)
def test_numbers_that_json_lacks_are_kept(written: str, value: float | None) -> None:
    """NaN, infinities, null and whole numbers stay what they are."""
    text = json.dumps(GOOD).replace('"main_score": 0.5', f'"main_score": {written}').encode()
    score = parse(text).parts[0][3]
    assert score == value or (score is not None and value is not None and math.isnan(score) and math.isnan(value))


def test_nan_elsewhere_does_not_touch_the_score() -> None:
    """A metric that is NaN leaves the main score alone, and NaN in a name stays there."""
    given = json.loads(json.dumps(GOOD))
    given["scores"]["test"][0] |= {"ndcg_at_10": math.nan, "hf_subset": "NaN", "nauc_at_10": math.nan}
    part = read(given).parts[0]
    assert part[1] == "NaN"
    assert part[3] == 0.5
    assert math.isnan(part[4])


def test_nan_as_the_time_is_no_time() -> None:
    """An evaluation time that is NaN is not known."""
    seconds = read(GOOD | {"evaluation_time": math.nan}).time
    assert seconds is None or math.isnan(seconds)


def test_the_old_layout_without_subsets() -> None:
    """Before mteb 1.11 metrics stood below the split; the main score is the task's metric, and times are added up."""
    old = {
        "mteb_dataset_name": "SciFact",
        "mteb_version": "1.0.2",
        "test": {"evaluation_time": 2.0, "ndcg_at_10": 0.6},
        "dev": {"evaluation_time": 1.0},
    }
    file = read(old)
    assert (file.task, file.time) == ("SciFact", 3.0)
    assert file.parts[0][:4] == ("test", "default", "eng-Latn", 0.6)
    assert file.parts[1][3] is None


def test_the_old_layout_with_subsets_and_similarities() -> None:
    """Subsets were named below the split, and `cos_sim: {spearman}` is today's cosine_spearman."""
    old = {"mteb_dataset_name": "STS17", "test": {"en-de": {"cos_sim": {"spearman": 0.7}}, "evaluation_time": 1.0}}
    split, subset, languages, score, *_ = read(old).parts[0]
    assert (split, subset, score) == ("test", "en-de", 0.7)
    assert languages == "eng-Latn deu-Latn"


@pytest.mark.parametrize(
    ("old", "now"), [("NorwegianParliament", "NorwegianParliamentClassification"), ("ScalaDaClassification", "ScalaDaClassification")]
)
def test_old_tasks_have_todays_name(old: str, now: str) -> None:
    """Renamed tasks come under their new name, tasks that are gone under their own."""
    file = read({"mteb_dataset_name": old, "test": {"accuracy": 0.9}})
    assert file.task == now
    assert file.parts[0][3] == 0.9


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (json.dumps(GOOD).encode()[:-20], "no JSON"),
        (b"\xff\xfe\x00", "no JSON"),
        (b"[1, 2]", "no JSON object"),
        (b"{}", "names no task"),
        (b'{"scores": [], "task_name": "SciFact"}', "no object"),
        (b'{"scores": {"test": {}}, "task_name": "SciFact"}', "no list"),
        (b'{"scores": {"test": [1]}, "task_name": "SciFact"}', "no object"),
        (b'{"scores": {"test": [{"main_score": 1}]}, "task_name": "SciFact"}', "subset"),
        (b'{"scores": {"test": [{"hf_subset": "a", "languages": []}]}, "task_name": "SciFact"}', "no main_score"),
        (b'{"scores": {"test": [{"hf_subset": "a", "languages": [], "main_score": "high"}]}, "task_name": "SciFact"}', "no number"),
        (b'{"scores": {"test": [{"hf_subset": "a", "languages": [], "main_score": true}]}, "task_name": "SciFact"}', "no number"),
        (b'{"scores": {}, "task_name": 7}', "names no task"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "JSON|deep"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "pointer"),
    ],
)
def test_what_is_no_results_file_says_why(text: bytes, why: str) -> None:
    """Empty, cut off, of wrong types, too deep or a pointer: each has a reason, and nothing else is raised."""
    with pytest.raises(BadFileError, match=why):
        parse(text)


def test_a_number_too_large_is_infinite() -> None:
    """A whole number beyond any float does not raise."""
    given = json.loads(json.dumps(GOOD))
    given["scores"]["test"][0]["main_score"] = 10**400
    assert read(given).parts[0][3] == math.inf


@pytest.mark.parametrize(
    ("given", "seconds"),
    [(1_700_000_000.5, 1_700_000_000), ("2024-01-02T00:00:00", 1_704_153_600), ("soon", None), (1e300, None), ([], None)],
)
def test_dates_of_both_kinds(given: Any, seconds: int | None) -> None:
    """Seconds and texts are dates; what is neither is none."""
    assert read(GOOD | {"date": given}).date == (None if seconds is None else 1000 * seconds)
