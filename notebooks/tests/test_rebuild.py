"""However the rows came in, and whatever was killed on the way: the tables are those of a full rebuild."""

import os
from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, Phase, example, given, note, settings
from hypothesis import strategies as st

from notebooks.tests.grains import GRAINS
from notebooks.tests.kills import Killed

LAYERS = ("bronze", "silver", "gold")
DAYS = ("2025-07-01", "2025-07-15", "2025-07-31")
"""Days of valuation, in the order in which they come."""
FIRST_LANDING_S = 1_751_328_000  # 2025-07-01
TABLES = [table for table in GRAINS if not table.startswith("bronze.") and table != "silver.quality_results"]
"""What a rebuild makes; all but silver.quality_results, whose grain is the batch."""
STAMPS = {"_run_id", "as_of"}
CLAIM_IDS = [f"CLM-{n}" for n in range(6)]
SMALL_BOOKS = st.sampled_from([0, 4, 20_000])
"""How many claims lie in one part: none, so few that the book outgrows it on the way, or all."""


@dataclass(frozen=True)
class Landing:
    """Files that come together: (path, rows) each, rows as the makers' changed fields."""

    files: tuple[tuple[str, tuple[dict[str, str], ...]], ...]


@dataclass(frozen=True)
class Layer:
    """A run of one layer, for chosen claims or for all; `dies_at` is the write of a small file that it dies at."""

    name: str
    claim_ids: tuple[str, ...] = ()
    dies_at: int | None = None


_TIMES = st.sampled_from(["", "2025-03-15T00:00:00Z", "2025-04-01T00:00:00Z", "2025-05-01T00:00:00Z"])
_POLICY_IDS, _PETS = ["POL-1", "POL-2", "POL-3"], ["PET-1", "PET-2"]


def _rows(**fields) -> st.SearchStrategy[tuple[dict[str, str], ...]]:
    return st.lists(st.fixed_dictionaries(fields), min_size=1, max_size=4).map(tuple)


ROWS = {
    "customers": _rows(
        customer_id=st.sampled_from(["CUS-1", "CUS-2"]), state=st.sampled_from(["TX", "CA"]), updated_at=_TIMES
    ),
    "pets": _rows(
        pet_id=st.sampled_from(_PETS),
        customer_id=st.sampled_from(["CUS-1", "CUS-2"]),
        species=st.sampled_from(["Dog", "Cat", ""]),
        date_of_birth=st.sampled_from(["2020-01-01", "2023-04-05", ""]),
        pre_existing_conditions=st.sampled_from(["", "SKN01"]),
        updated_at=_TIMES,
    ),
    "vet_providers": _rows(
        provider_id=st.sampled_from(["VET-1", "VET-2"]),
        is_in_network=st.sampled_from(["true", "no"]),
        updated_at=_TIMES,
    ),
    "policies": _rows(
        policy_id=st.sampled_from(_POLICY_IDS),
        pet_id=st.sampled_from([*_PETS, "PET-9"]),
        annual_deductible=st.sampled_from(["100.00", "0.00", "1e2"]),
        annual_limit=st.sampled_from(["1000.00", ""]),
        cancellation_date=st.sampled_from(["", "2025-03-12"]),
        updated_at=_TIMES,
    ),
    "claims": _rows(
        claim_id=st.sampled_from(CLAIM_IDS),
        policy_id=st.sampled_from([*_POLICY_IDS, "POL-9"]),
        pet_id=st.sampled_from(_PETS),
        provider_id=st.sampled_from(["VET-1", "VET-2", "VET-9"]),
        service_date=st.sampled_from(["2025-01-10", "2025-03-10", "2025-06-10", "2025-07-10"]),
        submitted_date=st.sampled_from(["2025-03-11", "2025-07-20"]),
        claim_amount=st.sampled_from(["300.00", "950.00", "12.34", "-5.00", "EUR 1.200,50"]),
        paid_amount=st.sampled_from(["0.00", "160.00"]),
        status=st.sampled_from(["Paid", "Denied", "Under Review"]),
        diagnosis_code=st.sampled_from(["SKN01", "GIT01"]),
        invoice_number=st.sampled_from(["INV-1", "INV-2"]),
        updated_at=_TIMES,
    ),
}


@st.composite
def landings(draw: st.DrawFn) -> Landing:
    tables = draw(st.lists(st.sampled_from([*ROWS, "claims", "claims"]), min_size=1, max_size=3, unique=True))
    return Landing(tuple((table, draw(ROWS[table])) for table in tables))


def _layers(*, may_die: bool = True) -> st.SearchStrategy[Layer]:
    chosen = st.lists(st.sampled_from(CLAIM_IDS), max_size=3, unique=True).map(tuple)
    dies_at = st.one_of(st.none(), st.integers(0, 8)) if may_die else st.none()
    return st.builds(Layer, st.sampled_from(LAYERS), chosen, dies_at)


def histories(most: int) -> st.SearchStrategy[list[Landing | Layer]]:
    """A book, then anything in any order."""
    step = st.one_of(landings(), _layers())
    return st.lists(step, min_size=2, max_size=most)


def _play(workspace, steps: list[Landing | Layer], makers) -> None:
    """Do all steps; the day of valuation moves on, and each landing is an hour after the last."""
    for number, step in enumerate(steps):
        note(f"{number}: {step}")
        if isinstance(step, Landing):
            _land(workspace, step, number, makers)
        else:
            _run(workspace, step, DAYS[number * len(DAYS) // len(steps)])
            _expect_each_key_once(workspace)


def _land(workspace, landing: Landing, number: int, makers) -> None:
    for table, rows in landing.files:
        made = [makers[table](**row) for row in rows]
        name = f"{table}/{number:02}.{'jsonl' if table == 'claims' else 'csv'}"
        file = workspace.land(name, made if table == "claims" else makers["csv"](made))
        os.utime(file, (FIRST_LANDING_S + 3600 * number,) * 2)


def _run(workspace, layer: Layer, day: str) -> None:
    writes = iter(range(10_000))
    put = workspace.files.put

    def dying_put(path: str, contents: str, overwrite: bool) -> bool:
        if next(writes) == layer.dies_at:
            raise Killed
        return put(path, contents, overwrite)

    workspace.files.put = dying_put
    try:
        workspace.run(layer.name, ",".join(layer.claim_ids), day)
    except Killed:
        note("killed")
    finally:
        workspace.files.put = put


def _expect_each_key_once(workspace) -> None:
    """At any time, also where a later run would make up for it."""
    for table in GRAINS.keys() & workspace.versions().keys():
        counts = Counter(tuple(row[key] for key in GRAINS[table]) for row in workspace.rows(table))
        assert {key: count for key, count in counts.items() if count > 1} == {}, table


def _content(workspace, table: str) -> Counter[str]:
    rows = [{k: v for k, v in row.items() if k not in STAMPS} for row in workspace.rows(table)]
    return Counter(map(repr, rows))


def _check(fresh, steps: list[Landing | Layer], makers, small_book: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("medallion.lake.SMALL_BOOK", small_book)
        _expect_a_rebuild(fresh, steps, makers)


def _expect_a_rebuild(fresh, steps: list[Landing | Layer], makers) -> None:
    grown = fresh()
    grown.land_book()
    for file in grown.landing.rglob("*.csv"):
        os.utime(file, (FIRST_LANDING_S - 3600,) * 2)
    _play(grown, steps, makers)
    grown.run_all(as_of=DAYS[-1])
    rebuilt = fresh(landing=grown.landing)
    rebuilt.run_all(as_of=DAYS[-1])
    for table in TABLES:
        assert _content(grown, table) == _content(rebuilt, table), table
    before = grown.versions()
    grown.run_all(as_of=DAYS[-1])
    assert grown.versions() == before


@pytest.fixture(scope="module")
def makers(make):
    return {
        "customers": make.customer,
        "pets": make.pet,
        "policies": make.policy,
        "vet_providers": make.provider,
        "claims": make.claim,
        "csv": make.csv,
    }


QUIET = {
    "deadline": None,
    "database": None,
    "suppress_health_check": list(HealthCheck),
    "phases": (Phase.explicit, Phase.generate),  # shrinking takes longer than reading a history
}


def _landing(**tables):
    return Landing(tuple(tables.items()))


def _all_layers(**more):
    return [Layer(name, **more) for name in LAYERS]


UNTIMED = {"policy_id": "POL-3", "pet_id": "PET-1", "updated_at": ""}
STORY = [
    _landing(
        claims=({"claim_id": "A", "policy_id": "POL-2"}, {"claim_id": "B"}, {"claim_id": "B", "claim_amount": "-1"}),
        policies=({"policy_id": "POL-2", "pet_id": "PET-2"}, UNTIMED),
        customers=({"updated_at": ""},),
    ),
    *_all_layers(),
    _landing(  # the same rows again, another state of them, and a clock that is wrong
        claims=({"claim_id": "B"}, {"claim_id": "C", "updated_at": "2099-01-01T00:00:00Z", "paid_amount": "9.00"}),
        policies=(UNTIMED | {"annual_deductible": "0.00"},),
        customers=({"updated_at": ""},),
    ),
    *_all_layers(dies_at=3),
    Layer("silver", ("C", "NONE")),
    _landing(  # the first state again; what was missing; corrections
        policies=(UNTIMED,),
        pets=({"pet_id": "PET-2"},),
        claims=({"claim_id": "C", "updated_at": "2025-07-01T06:00:00Z"}, {"claim_id": "B", "claim_amount": "EUR 1"}),
    ),
    Layer("bronze"),
    Layer("silver", dies_at=5),
    Layer("gold", ("A", "B")),
    _landing(claims=({"claim_id": "D", "service_date": "2025-03-09", "invoice_number": "INV-B"},)),
]
"""What went wrong once, or could."""
STEADY = [
    _landing(
        customers=({"customer_id": "CUS-2"},),
        claims=({"claim_id": "A"}, {"claim_id": "B", "service_date": "2025-06-10", "invoice_number": "INV-1"}),
    ),
    *_all_layers(),
    _landing(claims=({"claim_id": "C", "service_date": "2025-01-10"}, {"claim_id": "D", "policy_id": "POL-9"})),
    *_all_layers(),
    _landing(claims=({"claim_id": "A", "updated_at": "2025-07-01T06:00:00Z", "service_date": "2025-07-10"},)),
    Layer("bronze"),
    Layer("silver"),
    _landing(claims=({"claim_id": "B", "updated_at": "2019-01-01T00:00:00Z"},)),  # an older version of what is held
    *_all_layers(),
    _landing(policies=({"policy_id": "POL-9"},), claims=({"claim_id": "E", "invoice_number": "INV-1"},)),
    *_all_layers(),
    _landing(  # the first claim of a policy brings claims of others a flag
        policies=({"policy_id": "POL-8"},),
        claims=({"claim_id": "G", "policy_id": "POL-8", "invoice_number": "INV-1", "service_date": "2025-03-09"},),
    ),
    *_all_layers(),
    _landing(pets=({"pet_id": "PET-1", "species": "Cat"},), claims=({"claim_id": "F"},)),
    *_all_layers(dies_at=6),
    *_all_layers(),
    _landing(claims=({"claim_id": "F", "paid_amount": "1.00", "updated_at": "2025-07-02T06:00:00Z"},)),
]
"""Batch after batch, each brought through before the next lands, or nearly."""


@settings(max_examples=3, derandomize=True, **QUIET)
@example(steps=STORY, small_book=0)
@example(steps=STEADY, small_book=0)
@example(steps=STEADY[:19], small_book=4)  # it outgrows its part, and nothing that came later writes all claims anew
@given(steps=histories(5), small_book=SMALL_BOOKS)
def test_a_few_histories_end_in_the_tables_of_a_rebuild(fresh, makers, steps, small_book):
    _check(fresh, steps, makers, small_book)


@settings(**QUIET | {"phases": (Phase.explicit,)})
@example(steps=STORY, keys=2)
@example(steps=STEADY, keys=2)
@example(steps=STEADY, keys=1_000)
@given(steps=histories(2), keys=st.integers(2))
def test_rows_that_are_too_many_for_the_driver_end_in_the_same_tables(fresh, makers, steps, keys):
    """Two are too many here: what is computed where the rows are sees the same tables as what is computed once."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("medallion.few.FEW", 2)
        patched.setattr("medallion.few.KEYS", keys)
        _check(fresh, steps, makers, small_book=0)


@pytest.mark.long
@settings(max_examples=100, **QUIET)
@given(steps=histories(14), small_book=SMALL_BOOKS)
def test_many_histories_end_in_the_tables_of_a_rebuild(fresh, makers, steps, small_book):
    _check(fresh, steps, makers, small_book)
