import shutil
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from data_generator.generation import generate
from data_generator.landed import Landed, NothingLanded
from data_generator.next_day import DaySummary, append_day
from data_generator.tests.conftest import AS_OF
from data_generator.tests.oracle import expected_amounts
from data_generator.tests.reading import LandedZone
from data_generator.tests.test_landing import digest, run

DAYS = 5


@dataclass(frozen=True)
class Grown:
    out: Path
    before: LandedZone
    files_before: dict[str, str]
    summaries: list[DaySummary]
    after: LandedZone


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Grown:
    """A landing zone with five more days."""
    out = tmp_path_factory.mktemp("grown")
    generate(out, 8000, 13, AS_OF)
    before, files = LandedZone.read(out, AS_OF), digest(out)
    summaries = [append_day(out) for _ in range(DAYS)]
    return Grown(out, before, files, summaries, LandedZone.read(out, AS_OF + timedelta(days=DAYS)))


def test_each_day_is_the_next_one_and_adds_files_only(grown: Grown) -> None:
    now = digest(grown.out)

    assert [summary.day for summary in grown.summaries] == [AS_OF + timedelta(days=n + 1) for n in range(DAYS)]
    assert {name: now[name] for name in grown.files_before} == grown.files_before
    added = set(now) - set(grown.files_before)
    assert {name.split("/")[0] for name in added} <= {"claims", "policies"}
    assert sum(name.startswith("claims/") for name in added) == DAYS


def test_the_summary_tells_what_landed(grown: Grown) -> None:
    known = grown.before.ids()
    new = [claim for claim in grown.after.latest() if claim["claim_id"] not in known]

    assert len(grown.after.lines) - len(grown.before.lines) == sum(summary.claim_rows for summary in grown.summaries)
    assert len(new) == sum(summary.new_claims for summary in grown.summaries)
    assert sum(summary.late_claims for summary in grown.summaries) > 0
    assert sum(summary.bad_rows["corrected_later"] for summary in grown.summaries) >= DAYS


def test_every_amount_still_is_what_the_policies_say(grown: Grown) -> None:
    expected = expected_amounts(grown.after)

    clean = grown.after.clean()
    assert [c["claim_id"] for c in clean if c["paid_amount"] + c["case_reserve"] != expected[c["claim_id"]]] == []


def test_new_claims_come_after_all_earlier_services_of_their_policy(tmp_path: Path) -> None:
    generate(tmp_path, 60, 4, AS_OF)
    last: dict[str, str] = {}
    for day in range(40):
        zone = LandedZone.read(tmp_path, AS_OF + timedelta(days=day))
        known = zone.ids()
        for claim in zone.clean():
            last[claim["policy_id"]] = max(claim["service_date"], last.get(claim["policy_id"], ""))
        append_day(tmp_path)
        grown = LandedZone.read(tmp_path, zone.as_of + timedelta(days=1))
        new = [claim for claim in grown.clean() if claim["claim_id"] not in known]
        assert [c["claim_id"] for c in new if c["service_date"] <= last.get(c["policy_id"], "")] == []


def test_earlier_claims_are_decided_paid_corrected_and_healed(grown: Grown) -> None:
    old = {claim["claim_id"]: claim for claim in grown.before.latest()}
    moves: Counter[str] = Counter()
    for claim in grown.after.latest():
        was = old.get(claim["claim_id"], claim)
        if was is not claim and was["updated_at"] < claim["updated_at"]:
            moves["paid"] += was["paid_amount"] != claim["paid_amount"]
            moves["decided"] += was["decision_date"] is None and claim["decision_date"] is not None
            moves["corrected"] += was["invoice_number"] != claim["invoice_number"]
            moves["healed"] += was["claim_amount"] != claim["claim_amount"]

    assert all(moves[move] > 0 for move in ("paid", "decided", "corrected", "healed")), moves


def test_ended_terms_are_renewed_on_the_same_terms(grown: Grown) -> None:
    renewed = [
        (policy, grown.before.policies[policy_id])
        for policy_id, policy in grown.after.policies.items()
        if policy != grown.before.policies[policy_id]
    ]

    assert len(renewed) == sum(summary.renewed_policies for summary in grown.summaries) > 0
    for now, was in renewed:
        changed = {name for name in now if now[name] != was[name]}
        assert changed == {"expiration_date", "renewal_count", "updated_at"}
        assert now["expiration_date"] == str(int(was["expiration_date"][:4]) + 1) + was["expiration_date"][4:]


def test_the_same_landing_zone_gets_the_same_day(tmp_path: Path) -> None:
    generate(tmp_path / "one", 600, 4, AS_OF)
    shutil.copytree(tmp_path / "one", tmp_path / "two")

    assert append_day(tmp_path / "one") == append_day(tmp_path / "two")
    assert digest(tmp_path / "one") == digest(tmp_path / "two")


def test_a_day_cannot_be_added_to_nothing(tmp_path: Path) -> None:
    with pytest.raises(NothingLanded, match="generate a landing zone first"):
        append_day(tmp_path)

    done = run("--out", str(tmp_path), "--append-day")
    assert (done.returncode, "generate a landing zone first" in done.stderr) == (2, True)


def test_a_day_cannot_be_added_to_what_was_not_generated(tmp_path: Path) -> None:
    generate(tmp_path, 10, 2, AS_OF)
    (tmp_path / "policies" / "more.csv").write_text("policy_id,updated_at\nPOL-2-0000001,soon\n")
    before = digest(tmp_path)

    with pytest.raises(NothingLanded, match="policies that were not generated"):
        append_day(tmp_path)

    assert digest(tmp_path) == before


def test_only_so_many_recent_claims_are_looked_at_however_many_there_are(tmp_path: Path) -> None:
    generate(tmp_path, 3000, 4, AS_OF)
    landed = Landed.read(tmp_path)

    few, all_recent = landed.recent(at_most=100), landed.recent()

    assert 50 <= len(few) <= 100 < len(all_recent)
    assert {claim["claim_id"] for claim in few} < {claim["claim_id"] for claim in all_recent}
    assert min(claim["submitted_date"] for claim in few) > min(claim["submitted_date"] for claim in all_recent)


@pytest.mark.parametrize("claims", [1, 3])
def test_a_day_can_be_added_to_a_tiny_landing_zone(tmp_path: Path, claims: int) -> None:
    generate(tmp_path, claims, 2, AS_OF)

    last_day = LandedZone.read(tmp_path, AS_OF).lines[-1]["landed_on"]

    assert append_day(tmp_path).day == last_day + timedelta(days=1)
