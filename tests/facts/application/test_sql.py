"""Vector columns in SQL."""

from __future__ import annotations

import pytest

from cardcheck.facts.application.found import Found
from cardcheck.facts.application.sql import read_sql


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("CREATE TABLE t (id int, v vector(384));", [384]),
        ("alter table t add column v halfvec( 768 );", [768]),
        ("create virtual table t using vec0(v float[256])", [256]),
        ("select v <-> '[1]'::vector(3) from t", [3]),
        ("create function f(q vector(512)) returns void", [512]),
        ("create table t (a float[256]);", []),
        ("select vector(384)", []),
        ("create table t (\n  -- v vector(384)\n  w vector(768));", [768]),
        ("create table t (v vector(0), w vector(999999), x vector)", []),
        ("", []),
    ],
)
def test_columns(text: str, sizes: list[int]) -> None:
    """Columns of pgvector and sqlite-vec count where something is declared; arrays, comments and calls do not."""
    found = Found()
    read_sql(text, found, lambda offset: (1, offset + 1))
    assert [size.dimension for size in found.dimensions.values()] == sizes
