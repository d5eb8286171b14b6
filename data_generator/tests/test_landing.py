import hashlib
import json
import re
import subprocess
import sys
import tracemalloc
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from data_generator.claim_rows import Lines
from data_generator.generation import Summary, generate
from data_generator.limits import GenerationError
from data_generator.tests.conftest import AS_OF
from data_generator.tests.reading import LandedZone
from data_generator.writing import Landing


def fields(text: str) -> list[str]:
    return text.split()


HEADERS = {
    "customers": "customer_id,first_name,last_name,email,phone,address,city,state,zip_code,date_of_birth,"
    "customer_since,preferred_contact,marketing_opt_in,referral_source,updated_at",
    "pets": "pet_id,customer_id,pet_name,species,breed,gender,date_of_birth,weight_kg,is_neutered,microchip_id,"
    "pre_existing_conditions,condition_onset_on,adopted_on,is_active,updated_at",
    "policies": "policy_id,policy_number,customer_id,pet_id,plan_name,monthly_premium,annual_deductible,"
    "reimbursement_pct,annual_limit,effective_date,expiration_date,cancellation_date,status,accident_wait_days,"
    "illness_wait_days,orthopedic_wait_days,includes_wellness,includes_dental,payment_frequency,renewal_count,updated_at",
    "vet_providers": "provider_id,provider_name,provider_type,city,state,zip_code,is_in_network,average_rating,"
    "accepts_emergency,license_number,updated_at",
}
CLAIM_FIELDS = fields(
    "claim_id claim_number policy_id pet_id customer_id provider_id claim_type claim_category diagnosis_code diagnosis "
    "service_date submitted_date decision_date payment_date claim_amount approved_amount paid_amount case_reserve "
    "status denial_reason invoice_number is_emergency treatment_notes updated_at"
)


def digest(out: Path) -> dict[str, str]:
    files = sorted(path for path in out.rglob("*") if path.is_file())
    return {str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def every_id(out: Path) -> set[str]:
    return set(re.findall(r"\b[A-Z]{2,3}-[0-9A-Z]+-[0-9]{7}\b", "".join(p.read_text() for p in out.rglob("*.*"))))


def test_the_default_size_has_the_promised_rows(zone: LandedZone, summary: Summary) -> None:
    assert len(zone.customers) == summary.customers == 5000
    assert len(zone.pets) == summary.pets == 6500
    assert len(zone.policies) == summary.policies == 6000
    assert len(zone.providers) == summary.vet_providers == 200
    assert len(zone.ids()) == summary.claims == 15_000
    assert len(zone.lines) == summary.claim_rows
    assert 700 <= summary.files <= 740
    assert summary.last_day == AS_OF


def test_headers_and_fields_are_the_agreed_ones(landed_at: tuple[Path, Summary], zone: LandedZone) -> None:
    for table, header in HEADERS.items():
        with (landed_at[0] / table / f"{table}.csv").open() as file:
            assert file.readline().rstrip("\n") == header
    assert all([*line][:-1] == CLAIM_FIELDS for line in zone.lines)


def test_claim_ids_are_ids_that_the_api_accepts(zone: LandedZone) -> None:
    assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}", claim_id) for claim_id in zone.ids())


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    generate(tmp_path / "one", 2000, 11, AS_OF)
    generate(tmp_path / "two", 2000, 11, AS_OF)
    generate(tmp_path / "two", 2000, 11, AS_OF)

    assert digest(tmp_path / "one") == digest(tmp_path / "two")


def test_two_seeds_share_no_id(tmp_path: Path) -> None:
    for seed in (1, 36, 37):
        generate(tmp_path / str(seed), 500, seed, AS_OF)

    assert every_id(tmp_path / "1").isdisjoint(every_id(tmp_path / "36") | every_id(tmp_path / "37"))
    assert every_id(tmp_path / "36").isdisjoint(every_id(tmp_path / "37"))


def test_two_to_four_rows_in_a_hundred_are_bad_and_all_of_them_are_declared(zone: LandedZone, summary: Summary) -> None:
    repeats = Counter(json.dumps(line | {"landed_on": None}) for line in zone.lines)
    versions = {(line["claim_id"], line["updated_at"]) for line in zone.lines}
    lines = zone.latest()
    found = {
        "duplicate_row": sum(count - 1 for count in repeats.values()),
        "corrected_later": len(versions) - summary.claims,
        "missing_diagnosis": sum(line["diagnosis_code"] is None for line in lines),
        "negative_amount": sum(line["claim_amount"].startswith("-") for line in lines),
        "currency_text": sum("," in line["claim_amount"] for line in lines),
        "unknown_policy": sum(line["policy_id"] not in zone.policies for line in lines),
        "future_service_date": sum(line["service_date"] > AS_OF.isoformat() for line in lines),
    }

    assert found == {kind: summary.bad_rows[kind] for kind in found}
    assert all(count > 0 for count in summary.bad_rows.values())
    assert 0.02 <= sum(summary.bad_rows.values()) / summary.claim_rows <= 0.04


def test_claims_land_on_the_day_they_were_submitted_but_for_late_and_repeated_rows(
    zone: LandedZone, summary: Summary
) -> None:
    waited = [line["landed_on"] - date.fromisoformat(line["submitted_date"]) for line in zone.lines]
    moved = sum(delay > timedelta(0) for delay in waited)

    assert min(waited) == timedelta(0)
    assert summary.bad_rows["late_arrival"] + summary.bad_rows["corrected_later"] <= moved
    assert moved <= sum(summary.bad_rows[kind] for kind in ("late_arrival", "corrected_later", "duplicate_row"))


def test_claims_made_in_many_pieces_are_as_many_and_as_sound(tmp_path: Path) -> None:
    summary = generate(tmp_path, 3000, 5, AS_OF, block_claims=400)
    zone = LandedZone.read(tmp_path, AS_OF)

    assert len(zone.ids()) == 3000
    assert len(zone.lines) == summary.claim_rows
    assert all(zone.policies[claim["policy_id"]]["pet_id"] == claim["pet_id"] for claim in zone.clean())


def peak_bytes(out: Path, claims: int) -> int:
    """The most memory that Python and numpy held at once."""
    tracemalloc.start()
    generate(out, claims, 5, AS_OF, block_claims=500)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_memory_does_not_grow_with_the_number_of_claims(tmp_path: Path) -> None:
    few, many = peak_bytes(tmp_path / "few", 1500), peak_bytes(tmp_path / "many", 6000)

    assert many < 1.25 * few


def test_blocks_share_no_id_and_together_hold_what_the_summary_says(tmp_path: Path) -> None:
    summary = generate(tmp_path, 3000, 5, AS_OF, block_claims=400)
    zone = LandedZone.read(tmp_path, AS_OF)

    assert len({row["customer_id"] for row in zone.customers}) == len(zone.customers) == summary.customers
    assert len({row["email"] for row in zone.customers}) == summary.customers
    assert len({row["microchip_id"] for row in zone.pets.values()}) == len(zone.pets) == summary.pets
    assert len(zone.policies) == summary.policies
    assert len(zone.providers) == summary.vet_providers
    assert sum(line["policy_id"] not in zone.policies for line in zone.latest()) == summary.bad_rows["unknown_policy"]


@pytest.mark.parametrize("claims", [1, 2, 10, 100])
def test_tiny_landing_zones_are_whole(tmp_path: Path, claims: int) -> None:
    generate(tmp_path, claims, 3, AS_OF)

    assert len(LandedZone.read(tmp_path, AS_OF).ids()) == claims


@pytest.mark.parametrize(
    ("claims", "seed", "as_of", "message"),
    [
        (0, 1, AS_OF, "claims must be between 1 and 5,000,000"),
        (5_000_001, 1, AS_OF, "claims must be between 1 and 5,000,000"),
        (10, -1, AS_OF, "seed must be between"),
        (10, 1, date(1970, 1, 1), "as-of must lie between"),
    ],
)
def test_what_cannot_be_generated_is_refused_before_anything_is_written(
    tmp_path: Path, claims: int, seed: int, as_of: date, message: str
) -> None:
    with pytest.raises(GenerationError, match=message):
        generate(tmp_path / "out", claims, seed, as_of)

    assert not (tmp_path / "out").exists()


def test_another_landing_zone_is_not_mixed_with_a_new_one(tmp_path: Path) -> None:
    generate(tmp_path, 50, 1, AS_OF)
    before = digest(tmp_path)

    with pytest.raises(GenerationError, match="holds other landing data"):
        generate(tmp_path, 50, 2, date(2020, 1, 31))

    assert digest(tmp_path) == before


def test_a_failure_while_writing_leaves_the_landing_zone_as_it_was(tmp_path: Path) -> None:
    generate(tmp_path, 50, 1, AS_OF)
    before = digest(tmp_path)

    def failing() -> None:
        with Landing(tmp_path) as landing:
            landing.append_claims(Lines.of([(AS_OF, "{}")]))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        failing()

    assert digest(tmp_path) == before


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "data_generator", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=root, check=False)


def test_the_command_prints_what_it_landed(tmp_path: Path) -> None:
    done = run("--out", str(tmp_path), "--claims", "300", "--seed", "5", "--as-of", "2026-02-28")

    printed = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert (printed["claims"], printed["as_of"]) == (300, "2026-02-28")
    assert set(every_file(tmp_path)) == {"customers", "pets", "policies", "vet_providers", "claims"}


def every_file(out: Path) -> list[str]:
    return [path.name for path in out.iterdir()]


def test_the_default_as_of_date_is_yesterday_in_utc(tmp_path: Path) -> None:
    before = datetime.now(UTC).date()
    printed = json.loads(run("--out", str(tmp_path), "--claims", "20").stdout)

    assert printed["as_of"] in {(day - timedelta(days=1)).isoformat() for day in (before, datetime.now(UTC).date())}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--claims", "0"], "claims must be between 1 and 5,000,000, not 0"),
        (["--claims", "many"], "invalid int value: 'many'"),
        (["--as-of", "31.12.2025"], "'31.12.2025' is not a date; write YYYY-MM-DD"),
        (["--seed", "-4"], "seed must be between"),
        (["--seed", "-4", "--scenarios"], "seed must be between"),
        (["--append-day", "--scenarios"], "not allowed with argument"),
        (["--append-day", "--seed", "3", "--claims", "9"], "leave out --claims and --seed"),
        (["--scenarios", "--claims", "9"], "leave out --claims"),
        (["--appendday"], "unrecognized arguments: --appendday"),
    ],
)
def test_bad_arguments_get_one_clear_line(tmp_path: Path, arguments: list[str], message: str) -> None:
    done = run("--out", str(tmp_path / "out"), *arguments)

    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()
