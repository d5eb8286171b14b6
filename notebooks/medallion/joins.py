"""Joins written so that the engine holds the smaller side in memory.

A hash join holds one side and lets the other stream by. An engine that cannot tell the sizes, as behind a filter or a
rule, holds the first: of a left join that would be the claims, of which there may be millions.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def with_facts(rows: DataFrame, facts: DataFrame, *keys: str, few_rows: bool = False) -> DataFrame:
    """A left join: every row with the columns of `facts`, one row per key at most; nulls where it has none.

    Of a few rows it is these that are held, and of the facts only what has their keys is read.
    """
    return rows.join(facts, list(keys), "left") if few_rows else facts.join(rows, list(keys), "right")


def that_have(rows: DataFrame, facts: DataFrame, *keys: str) -> DataFrame:
    """The rows that `facts` has a row for, with its columns. An inner join."""
    return facts.join(rows, list(keys))


def kept_after(joined: str, rows: DataFrame, flag: str) -> DataFrame:
    """The rows whose flag is true, chosen when the text `joined` is there, which is made of what joins have brought.

    Where an engine can, it chooses before it joins. It expects few rows to be left then, and holds these instead of the
    facts, though nearly all rows are. A product cannot be taken apart; an AND can, and a CASE is.
    """
    return rows.where(F.col(flag).cast("int") * F.length(joined) > 0)
