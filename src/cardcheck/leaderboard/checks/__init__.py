"""Checks over the whole board: each module looks for one kind of thing and gives rows for rules to judge."""

from __future__ import annotations
