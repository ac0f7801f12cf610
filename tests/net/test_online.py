"""What the outside answers, as one asks it through huggingface_hub and our client."""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING

import pytest
from werkzeug import Response

from cardcheck.errors import AbsentError, UnavailableError
from cardcheck.net import waiting
from cardcheck.net.answers import Commit, Dataset, Discussion, File, Owner, Paper, Scan
from cardcheck.net.online import Online

if TYPE_CHECKING:
    from hub_double import HubDouble
    from werkzeug import Request

NAME = "acme/tiny-embed"


def test_a_model(hub: HubDouble, online: Online) -> None:
    """Numbers, dates, lineage and files of a model are read in the Hub's shapes."""
    hub.model(
        NAME,
        baseModels={"relation": "finetune", "models": [{"_id": "1", "id": "acme/base"}]},
        childrenModelCount={"quantized": 3},
        gated="auto",
    )
    hub.file(NAME, "model.safetensors", 90, "f" * 64)
    hub.file(NAME, "README.md", 5)
    found = online.model(NAME)
    assert (found.id, found.author, found.created, found.downloads, found.gated) == (NAME, "acme", "2024-05-31", 7, True)
    assert (found.bases, found.relation, found.children) == (["acme/base"], "finetune", {"quantized": 3})
    assert online.files(NAME) == [File("model.safetensors", 90, "f" * 64), File("README.md", 5)]


def test_a_models_history(hub: HubDouble, online: Online) -> None:
    """Commits, open discussions and the scan are read."""
    hub.model(NAME, securityRepoStatus={"scansDone": True, "filesWithIssues": [{"path": "a.bin", "level": "unsafe"}]})
    hub.commit(NAME, "Upload weights")
    hub.discuss(NAME, "Scores cannot be reproduced")
    assert online.commits(NAME) == [Commit("0" * 40, "Upload weights", "2024-05-31", ["ada"])]
    assert online.discussions(NAME) == [Discussion(1, "Scores cannot be reproduced", "ada", "2024-05-31", is_pull_request=False)]
    assert online.scan(NAME) == Scan(done=True, issues=[("a.bin", "unsafe")])


def test_owners(hub: HubDouble, online: Online) -> None:
    """An owner is an organisation, else a person, and has a list of models."""
    hub.organization("acme", isVerified=True)
    hub.user("ada")
    hub.model(NAME)
    assert online.owner("acme") == Owner("acme", "organization", "acme", "", verified=True, members=3, followers=10, models=2)
    assert (online.owner("ada").kind, online.owner("ada").followers) == ("user", 2)
    assert online.models_of("acme") == [NAME]
    with pytest.raises(AbsentError):
        online.owner("nobody")


def test_papers_and_data(hub: HubDouble, online: Online) -> None:
    """A paper has authors and linked models, a data set has its state."""
    hub.paper("2401.00001", "Tiny Embeddings", authors=("Ada Ours",), models=(NAME,))
    hub.dataset("acme/pairs", gated="manual")
    found = online.paper("2401.00001")
    assert found == Paper("2401.00001", "Tiny Embeddings", "", ["Ada Ours"], "2024-05-31", models=[NAME], model_count=1)
    assert online.dataset("acme/pairs") == Dataset("acme/pairs", "acme", "2024-05-31", gated=True)
    with pytest.raises(AbsentError):
        online.paper("2401.99999")


def test_pages(hub: HubDouble, online: Online) -> None:
    """A page is read as it came; one that is not there is absent, one that fails is unavailable."""
    hub.pages["/blog"] = "<h1>Tiny</h1>"
    assert online.page(f"{hub.url}/blog").text == "<h1>Tiny</h1>"
    with pytest.raises(AbsentError):
        online.page(f"{hub.url}/none")
    with pytest.raises(UnavailableError):
        online.page("http://[::1]:9/")


class Terminal(io.StringIO):
    """What a user's terminal is sent."""

    def isatty(self) -> bool:
        """Say that it is one."""
        return True


@pytest.mark.parametrize(("terminal", "seconds"), [(Terminal, 0.6), (Terminal, 0), (io.StringIO, 0.6)])
def test_a_line_is_shown_while_answers_are_waited_for(
    hub: HubDouble, online: Online, monkeypatch: pytest.MonkeyPatch, terminal: type[io.StringIO], seconds: float
) -> None:
    """On a terminal a line says how many requests were answered, and is gone at the end; quick answers and files get none."""
    monkeypatch.setattr(waiting, "AFTER", 0.2)
    monkeypatch.setattr(waiting, "EVERY", 0.05)
    monkeypatch.setattr("sys.stderr", screen := terminal())
    hub.model(NAME)
    online.model(NAME)

    def slow(_: Request) -> Response:
        time.sleep(seconds)
        return Response("[]", mimetype="application/json")

    hub.instead[f"/api/models/{NAME}/commits/main"] = slow
    assert online.commits(NAME) == []
    shown = screen.getvalue()
    if terminal is Terminal and seconds:
        assert "asking: 1 requests answered" in shown
        assert shown.endswith("\r")
        assert not shown.rpartition("\r")[0].rpartition("\r")[2].strip(), "the line was not cleared"
    else:
        assert shown == ""


def test_a_question_is_asked_once(hub: HubDouble, online: Online) -> None:
    """Within a run an answer is remembered, a failure too; another run has it from the cache."""
    hub.model(NAME)
    for _ in range(3):
        online.model(NAME)
        with pytest.raises(AbsentError):
            online.model("acme/none")
    assert len(hub.asked) == 2
    again = Online(endpoint=hub.url)
    again.model(NAME)
    with pytest.raises(AbsentError):
        again.model("acme/none")
    assert len(hub.asked) == 2
    assert again.log.made() == 0
    Online(endpoint=hub.url, refresh=True).model(NAME)
    assert len(hub.asked) == 3
