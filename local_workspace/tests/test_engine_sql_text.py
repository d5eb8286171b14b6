"""Reading SQL: strings, names and comments are never mistaken for statements or paths."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_workspace.engine.names import Cursor, Namespace, literal, quoted
from local_workspace.engine.sql_text import map_paths, parameter_names, statements, tokens


def upper(path: str) -> str:
    return path.upper()


def test_semicolons_in_strings_and_comments_do_not_cut() -> None:
    sql = "select ';' ; -- not ; here\nselect `a;b`; /* ; */ ;"
    assert statements(sql) == ["select ';'", "-- not ; here\nselect `a;b`"]


@pytest.mark.parametrize(
    ("sql", "mapped"),
    [
        ("select * from delta.`/a/b`", "select * from delta.`/A/B`"),
        ("select * from c.delta.`/a`", "select * from c.delta.`/a`"),
        ("select * from delta.`a`", "select * from delta.`a`"),
        ("create table t location '/a/b'", "create table t location '/A/B'"),
        ("create table t using csv options (path '/a', k 'v')", "create table t using csv options (path '/A', k 'v')"),
        ("create table t using csv options ('path' = '/a')", "create table t using csv options ('path' = '/A')"),
        ("select '/a' as path, 'location' from t where path = '/b'", None),
        ("-- delta.`/a`\nselect \"delta.`/a`\"", None),
        ("insert overwrite directory '/a' select 1", "insert overwrite directory '/A' select 1"),
    ],
)  # fmt: skip
def test_only_paths_are_mapped(sql: str, mapped: str | None) -> None:
    assert map_paths(sql, upper) == (mapped or sql)


def test_a_mapped_path_with_a_quote_stays_one_string() -> None:
    sql = map_paths("create table t location '/a'", lambda _: "/it's")
    assert Cursor(sql).tokens[-1].value == "/it's"


def test_parameters_are_told_from_casts_and_json_paths() -> None:
    assert parameter_names("select :a, x:b, c::int, (:d) from t where e=:f and ':g' = `:h`") == {"a", "d", "f"}


def test_names_have_one_to_three_parts_with_or_without_backticks() -> None:
    cursor = Cursor("DESCRIBE HISTORY `My Cat`.s . t LIMIT 3")
    assert cursor.take("DESCRIBE", "HISTORY")
    assert cursor.name() == ["My Cat", "s", "t"]
    assert cursor.take("LIMIT")
    assert cursor.value() == "3"


def test_an_identifier_clause_is_a_name() -> None:
    assert Cursor("IDENTIFIER(:t)", {"t": "a.b"}).name() == ["a", "b"]
    assert Cursor("IDENTIFIER('a.b.c')").name() == ["a", "b", "c"]


def test_unqualified_names_are_completed() -> None:
    known = Namespace("c", "s")
    assert known.table(["T"]) == ("c", "s", "t")
    assert known.table(["x", "t"]) == ("c", "x", "t")
    assert known.schema_of(["X"]) == ("c", "x")


@given(st.text())
def test_a_quoted_literal_and_a_quoted_name_read_back_as_they_were(text: str) -> None:
    assert [token.value for token in tokens(literal(text))] == [text]
    assert Cursor(quoted(text)).name() == [text]


@given(st.text(st.sampled_from("ab'\"`;-/*\\ \n:.()")))
def test_any_text_is_cut_without_losing_a_statement(text: str) -> None:
    pieces = statements(text)
    assert [token.text for piece in pieces for token in tokens(piece) if token.text != ";"] == [
        token.text for token in tokens(text) if token.text != ";"
    ]
