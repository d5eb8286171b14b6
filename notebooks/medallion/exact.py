"""Division that every engine rounds alike.

A quotient of doubles may lie a hair beside a half, and engines do not agree on which side it is to be rounded.
"""

from decimal import Decimal

from pyspark.sql import Column
from pyspark.sql import functions as F

_OPERAND = "decimal(20,6)"


def quotient(over: Column, under: Column | Decimal | int, places: int) -> Column:
    """A decimal with so many places, at most 6, halves up; null when there is nothing to divide by.

    Of both operands 14 digits before and 6 behind the point count.
    """
    divisor = (under if isinstance(under, Column) else F.lit(under)).cast(_OPERAND)
    return F.round(over.cast(_OPERAND) / F.when(divisor > 0, divisor), places)


def ratio(over: Column, under: Column) -> Column:
    """A fraction as double with six places; null when there is nothing to divide by."""
    return quotient(over, under, 6).cast("double")
