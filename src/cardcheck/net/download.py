"""Answers of public sources as bytes, such as the lists that a held-out set is built from: asked anew, and never with a token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
from huggingface_hub import errors

from cardcheck.errors import AbsentError, UnavailableError
from cardcheck.net.client import Log, make_client

if TYPE_CHECKING:
    from collections.abc import Iterable


class Downloads:
    """Fetches addresses; `allow` are hosts (or `host:port`) that may lie on this machine or network."""

    def __init__(self, allow: Iterable[str] = ()) -> None:
        self.log = Log()
        self.client = make_client(self.log, allowed=frozenset(allow), keep=False)

    def get(self, url: str) -> bytes:
        """Return what an address answers. Raises AbsentError where nothing is there, else UnavailableError with the reason."""
        try:
            answer = self.client.get(url)
        except errors.OfflineModeIsEnabled:
            raise UnavailableError("HF_HUB_OFFLINE is set, so that nothing is asked") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            raise UnavailableError(str(error).splitlines()[0][:300] if str(error) else type(error).__name__) from None
        if answer.status_code in (404, 410):
            raise AbsentError(f"{url} does not exist")
        if answer.is_error:
            raise UnavailableError(f"{answer.url.host} answered {answer.status_code}")
        return answer.content
