"""Values as Databricks' JSON_ARRAY writes them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from local_workspace.engine.sql_binding import bound_values
from local_workspace.engine.sql_values import as_texts, java_double, text_rows


def texts(values: list[object], kind: pa.DataType) -> list[str | None]:
    table = pa.table({"x": pa.array(values, kind)})
    return [row[0] for row in text_rows(as_texts(table))]


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (True, pa.bool_(), "true"),
        (7, pa.int64(), "7"),
        (Decimal("1.50"), pa.decimal128(12, 2), "1.50"),
        (1.0, pa.float64(), "1.0"),
        (1.1, pa.float32(), "1.1"),
        (date(2024, 1, 2), pa.date32(), "2024-01-02"),
        (datetime(2024, 1, 2, 3, 4, 5, 678901, UTC), pa.timestamp("us", "UTC"), "2024-01-02T03:04:05.678Z"),
        (datetime(2024, 1, 2, 3, 4, 5), pa.timestamp("us"), "2024-01-02T03:04:05.000"),  # noqa: DTZ001
        (b"ab", pa.binary(), "YWI="),
        ([1, None, 3], pa.list_(pa.int32()), "[1,null,3]"),
        ([], pa.list_(pa.int32()), "[]"),
        (["a\"b"], pa.list_(pa.string()), '["a\\"b"]'),
        ({"a": 1, "b": None}, pa.struct([("a", pa.int32()), ("b", pa.string())]), '{"a":1,"b":null}'),
        ([("k", 1)], pa.map_(pa.string(), pa.int32()), '{"k":1}'),
    ],
)  # fmt: skip
def test_each_type_has_its_text_and_null_stays_null(value: object, kind: pa.DataType, text: str) -> None:
    assert texts([value, None, value], kind) == [text, None, text]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0"), (-1.5, "-1.5"), (0.001, "0.001"), (0.0001, "1.0E-4"), (9999999.0, "9999999.0"),
        (1e7, "1.0E7"), (1.25e10, "1.25E10"), (-1e-5, "-1.0E-5"), (float("inf"), "Infinity"), (float("nan"), "NaN"),
    ],
)  # fmt: skip
def test_doubles_are_written_as_the_jvm_does(value: float, text: str) -> None:
    assert java_double(value) == text


def test_a_table_without_columns_has_rows_without_values() -> None:
    assert text_rows(as_texts(pa.table({}))) == []


def test_parameters_are_bound_by_their_type() -> None:
    parameters = [
        {"name": "a", "value": "3", "type": "INT"},
        {"name": "b", "value": "1.20", "type": "DECIMAL(12,2)"},
        {"name": "c", "value": "x"},
        {"name": "d", "type": "DATE"},
    ]
    assert bound_values(parameters) == {"a": 3, "b": Decimal("1.20"), "c": "x", "d": None}


def test_a_value_that_does_not_fit_names_its_parameter() -> None:
    with pytest.raises(ValueError, match="'a': 'x' is not a INT"):
        bound_values([{"name": "a", "value": "x", "type": "INT"}])
