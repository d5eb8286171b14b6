"""Whole years and months: as the engine's own `months_between` counts them."""

from datetime import date, timedelta
from itertools import product

import pytest
from pyspark.sql import functions as F

from medallion.spans import full_months, full_years

_EDGES = [date(year, *day) for year in (1999, 2020, 2023, 2024) for day in ((1, 1), (1, 30), (1, 31), (2, 27), (2, 28))]
_EDGES += [
    date(2020, 2, 29),
    date(2024, 2, 29),
    date(2023, 3, 1),
    date(2024, 3, 31),
    date(2023, 4, 30),
    date(2024, 12, 31),
]
_DAYS = sorted({*_EDGES, *(date(2021, 1, 1) + timedelta(days=37 * n) for n in range(30))})


def _pairs(spark):
    return spark.createDataFrame(list(product(_DAYS, _DAYS)), "since date, day date")


def test_full_years_are_twelve_whole_months_each(spark):
    between = F.floor(F.months_between("day", "since") / 12).cast("int")
    counted = _pairs(spark).select("since", "day", full_years("since", "day").alias("ours"), between.alias("theirs"))
    assert counted.schema["ours"].dataType.simpleString() == "int"
    rows = counted.collect()
    assert [row for row in rows if row["ours"] != row["theirs"]] == []
    ours = {(row["since"], row["day"]): row["ours"] for row in rows}
    assert ours[date(2020, 2, 29), date(2023, 2, 28)] == 3  # both are the last of their month
    assert ours[date(2020, 2, 29), date(2024, 2, 28)] == 3  # a day is missing
    assert ours[date(2024, 2, 29), date(2024, 2, 28)] == -1


@pytest.mark.parametrize(
    "day", [date(2023, 2, 28), date(2024, 2, 28), date(2024, 2, 29), date(2024, 4, 30), date(2024, 5, 17)]
)
def test_full_months_count_the_last_days_of_months_as_whole(spark, day):
    between = F.floor(F.months_between(F.lit(day), "since")).cast("int")
    rows = _pairs(spark).select("since", full_months("since", day).alias("ours"), between.alias("theirs")).distinct()
    assert [row for row in rows.collect() if row["ours"] != row["theirs"]] == []


def test_an_unknown_day_has_no_span(spark):
    row = spark.sql("SELECT CAST(NULL AS DATE) AS since, DATE '2024-01-31' AS day")
    spans = row.select(
        full_years("since", "day").alias("years"), full_months("since", date(2024, 1, 31)).alias("months")
    )
    assert spans.collect()[0].asDict() == {"years": None, "months": None}
