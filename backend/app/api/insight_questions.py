"""What can be asked of the pages of figures. A parameter that a page does not have is refused, not ignored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.domain.errors import InvalidRequest
from app.domain.figures import Question, text
from app.services.insight_queries import PAGES

Value = Annotated[str, StringConstraints(max_length=100)]
Values = Annotated[
    list[Value], Field(default_factory=list, max_length=50, description="May be repeated; `none`: what is not known")
]
Month = Annotated[str | None, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$", description="YYYY-MM, included")]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    filters: ClassVar[Mapping[str, str]]

    sort: Annotated[
        str | None, Field(pattern=r"^-?[a-z_0-9]{1,40}$", description="A column; `-` first: descending")
    ] = None
    limit: Annotated[int, Field(ge=1, le=1000, description="Rows of the list")] = 200
    page_token: Annotated[str | None, Field(max_length=200)] = None

    def question(self) -> Question:
        """Raises InvalidRequest for a period that ends before it begins."""
        name = None if self.sort is None else self.sort.removeprefix("-")
        return Question(
            values=self._values(),
            months=self._months(),
            sort=name,
            descending=self.sort is None or self.sort.startswith("-"),
            limit=self.limit,
        )

    def _values(self) -> dict[str, frozenset[str]]:
        asked = {column: getattr(self, name) for name, column in self.filters.items()}
        several = {column: value if isinstance(value, list) else [value] for column, value in asked.items()}
        return {
            column: frozenset(map(text, values)) for column, values in several.items() if values not in ([], [None])
        }

    def _months(self) -> tuple[str, str] | None:
        return None


class OfClaims(_Asked):
    filters = PAGES["claims"].filters

    first: Annotated[Month, Field(alias="from")] = None
    last: Annotated[Month, Field(alias="to")] = None
    species: Values
    category: Values
    diagnosis: Values
    status: Values
    reason: Values

    def _months(self) -> tuple[str, str] | None:
        if self.first is None and self.last is None:
            return None
        period = (self.first or "0000-01", self.last or "9999-12")
        if period[0] > period[1]:
            raise InvalidRequest(f"The period ends before it begins: {period[0]} to {period[1]}.")
        return period


class OfCustomers(_Asked):
    filters = PAGES["customers"].filters

    state: Values
    value_tier: Values
    churn_tier: Values
    offer: Values


class OfProviders(_Asked):
    filters = PAGES["providers"].filters

    type: Values
    state: Values
    in_network: bool | None = None


class OfRisk(_Asked):
    filters = PAGES["risk"].filters

    species: Values
    breed: Values
    age_band: Values
    category: Values
    band: Values
