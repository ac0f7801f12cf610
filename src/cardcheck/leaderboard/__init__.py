"""The leaderboard: MTEB's results in one file of columns, ranks with their uncertainty, and what does not fit the rest."""

from __future__ import annotations
