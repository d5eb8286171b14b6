"""The book looks like a pet insurer's. Bounds come from published figures of the North American market."""

from collections import Counter, defaultdict
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import mean

import pytest

from data_generator.generation import generate
from data_generator.tests.reading import LandedZone, Row, day, earned


def share(count: int, total: int) -> float:
    return count / total


@pytest.fixture(scope="module")
def clean(zone: LandedZone) -> list[Row]:
    return zone.clean()


@pytest.fixture(scope="module")
def decided(clean: list[Row]) -> list[Row]:
    return [claim for claim in clean if claim["decision_date"]]


def test_three_of_four_pets_are_dogs_and_one_in_a_hundred_is_neither_dog_nor_cat(zone: LandedZone) -> None:
    species = Counter(pet["species"] for pet in zone.pets.values())

    assert 0.74 <= share(species["Dog"], len(zone.pets)) <= 0.78
    assert 0.21 <= share(species["Cat"], len(zone.pets)) <= 0.25
    assert 0.005 <= share(species["Other"], len(zone.pets)) <= 0.015


def test_mean_premiums_are_the_markets_and_rise_with_age_and_cover(zone: LandedZone) -> None:
    premiums: dict[str, list[float]] = defaultdict(list)
    for policy in zone.policies.values():
        premium = float(policy["monthly_premium"])
        premiums[zone.pets[policy["pet_id"]]["species"]].append(premium)
        premiums[policy["plan_name"]].append(premium)
        age = day(policy["effective_date"]).year - day(zone.pets[policy["pet_id"]]["date_of_birth"]).year
        premiums["old" if age >= 8 else "young"].append(premium)

    assert mean(premiums["Dog"]) == pytest.approx(62, abs=0.5)
    assert mean(premiums["Cat"]) == pytest.approx(32, abs=0.5)
    assert mean(premiums["Essential"]) < mean(premiums["Plus"]) < mean(premiums["Complete"])
    assert mean(premiums["young"]) < mean(premiums["old"])


def test_losses_are_about_seven_tenths_of_the_earned_premium_in_every_year(zone: LandedZone, clean: list[Row]) -> None:
    end = zone.as_of + timedelta(days=1)
    spans = [(date(2025, 1, 1), date(2026, 1, 1)), (date(2026, 1, 1), end), (date(2024, 11, 1), date(2025, 11, 22))]
    for first, last in [*spans, (date(2025, 11, 22), end)]:
        premium = sum(earned(policy, first, last) for policy in zone.policies.values())
        losses = sum(float(c["paid_amount"] + c["case_reserve"]) for c in clean if first <= c["service"] < last)
        assert 0.65 <= losses / premium <= 0.78, first


def test_no_quarter_is_far_from_the_target(zone: LandedZone, clean: list[Row]) -> None:
    """70 to 73 in a hundred on average, at most three points up or down."""
    bounds = [date(2024 + n // 4, n % 4 * 3 + 1, 1) for n in range(4, 11)]
    for first, last in pairwise(bounds):
        premium = sum(earned(policy, first, last) for policy in zone.policies.values())
        losses = sum(float(c["paid_amount"] + c["case_reserve"]) for c in clean if first <= c["service"] < last)
        assert 0.66 <= losses / premium <= 0.75, first


def test_a_dog_has_about_two_claims_a_year_and_a_cat_one_and_a_half(zone: LandedZone, clean: list[Row]) -> None:
    end = zone.as_of + timedelta(days=1)
    years: Counter[str] = Counter()
    for policy in zone.policies.values():
        premium = earned(policy, date(2024, 1, 1), end)
        years[zone.pets[policy["pet_id"]]["species"]] += premium / float(policy["monthly_premium"]) * 30.4 / 365.25
    claims = Counter(zone.pets[claim["pet_id"]]["species"] for claim in clean)

    assert 1.6 <= claims["Dog"] / years["Dog"] <= 3.0
    assert 1.0 <= claims["Cat"] / years["Cat"] <= 1.8
    assert 1.4 <= claims["Dog"] / years["Dog"] * years["Cat"] / claims["Cat"] <= 1.9


def test_one_pet_in_twenty_takes_about_half_of_everything_paid(zone: LandedZone, clean: list[Row]) -> None:
    paid: Counter[str] = Counter()
    for claim in clean:
        paid[claim["pet_id"]] += claim["paid_amount"]
    dearest = sum(amount for _, amount in paid.most_common(len(zone.policies) // 20))

    assert 0.40 <= dearest / paid.total() <= 0.55


@pytest.mark.parametrize(("seed", "as_of"), [(2, date(2026, 3, 31)), (5, date(2024, 2, 29))])
def test_other_seeds_and_days_are_as_real(tmp_path: Path, seed: int, as_of: date) -> None:
    generate(tmp_path, 6000, seed, as_of)
    zone = LandedZone.read(tmp_path, as_of)
    clean = zone.clean()
    premium = sum(earned(p, as_of - timedelta(days=364), as_of + timedelta(days=1)) for p in zone.policies.values())
    year = [c for c in clean if c["service"] > as_of - timedelta(days=365)]
    paid = sorted((claim["paid_amount"] for claim in clean), reverse=True)
    chocolate = Counter(claim["service"].month for claim in clean if claim["diagnosis"] == "Chocolate toxicity")
    decided = [claim for claim in clean if claim["decision_date"]]

    assert 0.65 <= sum(float(c["paid_amount"] + c["case_reserve"]) for c in year) / premium <= 0.78
    assert 0.12 <= sum(paid[: len(paid) // 100]) / sum(paid) <= 0.20
    assert chocolate[12] / (chocolate.total() / 12) > 2.5
    assert sum(c["denial_reason"] == "Pre-existing Condition" for c in decided) >= 0.03 * len(decided)


def test_one_claim_in_a_hundred_costs_a_sixth_of_everything_paid(clean: list[Row]) -> None:
    paid = sorted((claim["paid_amount"] for claim in clean), reverse=True)

    assert 0.12 <= sum(paid[: len(paid) // 100]) / sum(paid) <= 0.20


def test_claims_per_pet_are_overdispersed(zone: LandedZone, clean: list[Row]) -> None:
    per_policy = Counter(claim["policy_id"] for claim in clean)
    counts = [per_policy[policy_id] for policy_id in zone.policies]
    average = mean(counts)

    assert 0.38 <= counts.count(0) / len(counts) <= 0.50
    assert mean((count - average) ** 2 for count in counts) > 2 * average


def test_december_brings_chocolate_and_summer_brings_allergies(clean: list[Row]) -> None:
    def index(diagnosis: str, months: set[int]) -> float:
        by_month = Counter(claim["service"].month for claim in clean if claim["diagnosis"] == diagnosis)
        return sum(by_month[month] for month in months) / len(months) / (by_month.total() / 12)

    assert index("Chocolate toxicity", {12}) > 2.5
    assert index("Allergic dermatitis", {6, 7, 8}) > 1.3
    assert index("Grass seed", {6, 7, 8}) > 2


@pytest.mark.parametrize(
    ("diagnosis", "low", "high"),
    [
        ("Allergic dermatitis", 180, 280),
        ("Chocolate toxicity", 560, 830),
        ("Benign skin mass", 347, 600),
        ("Diabetes mellitus", 780, 1150),
        ("Foreign body ingestion", 1700, 2900),
        ("Cruciate ligament rupture", 3000, 5200),
    ],
)
def test_bills_are_near_the_published_averages(clean: list[Row], diagnosis: str, low: float, high: float) -> None:
    assert low <= mean(claim["claim_amount"] for claim in clean if claim["diagnosis"] == diagnosis) <= high


def test_prices_rise_from_year_to_year(clean: list[Row], zone: LandedZone) -> None:
    routine = [c for c in clean if c["diagnosis"] in ("Allergic dermatitis", "Otitis externa", "Pyoderma")]
    middle = zone.as_of - timedelta(days=365)

    assert mean(c["claim_amount"] for c in routine if c["service"] >= middle) > 1.01 * float(
        mean(c["claim_amount"] for c in routine if c["service"] < middle)
    )


def test_most_claims_are_paid_a_tenth_is_denied_and_some_are_open(clean: list[Row]) -> None:
    status = Counter(claim["status"] for claim in clean)

    assert 0.50 <= share(status["Paid"] + status["Approved"], len(clean)) <= 0.65
    assert 0.20 <= share(status["Partially Approved"], len(clean)) <= 0.33
    assert 0.08 <= share(status["Denied"], len(clean)) <= 0.12
    assert 0.03 <= share(status["Submitted"] + status["Under Review"], len(clean)) <= 0.08
    assert status["Approved"] > 0


def test_denials_have_the_usual_reasons(decided: list[Row]) -> None:
    reasons = Counter(claim["denial_reason"] for claim in decided if claim["status"] == "Denied")

    assert share(reasons["Pre-existing Condition"], len(decided)) >= 0.03
    assert 0.35 <= share(reasons["Pre-existing Condition"], reasons.total()) <= 0.60
    assert 0.10 <= share(reasons["Waiting Period"], reasons.total()) <= 0.22
    assert 0.15 <= share(reasons["Not Covered"], reasons.total()) <= 0.32
    assert 0.10 <= share(reasons["Insufficient Documentation"], reasons.total()) <= 0.22


def test_a_third_is_decided_at_once_and_the_slowest_take_weeks(decided: list[Row]) -> None:
    days = sorted((day(claim["decision_date"]) - claim["submitted"]).days for claim in decided)
    slower = [waited for waited in days if waited > 0]

    assert 0.27 <= days.count(0) / len(days) <= 0.40
    assert 3 <= slower[len(slower) // 2] <= 5
    assert 12 <= slower[int(len(slower) * 0.95)] <= 24


def test_premiums_are_earned_only_while_claims_are_landed(zone: LandedZone) -> None:
    first_landing = min(line["landed_on"] for line in zone.lines)

    assert min(day(policy["effective_date"]) for policy in zone.policies.values()) >= first_landing - timedelta(days=7)


def test_references_point_to_rows_that_exist(zone: LandedZone, clean: list[Row]) -> None:
    customers = {row["customer_id"] for row in zone.customers}

    assert all(pet["customer_id"] in customers for pet in zone.pets.values())
    for policy in zone.policies.values():
        assert zone.pets[policy["pet_id"]]["customer_id"] == policy["customer_id"]
        assert zone.pets[policy["pet_id"]]["date_of_birth"] < policy["effective_date"]
    for claim in clean:
        assert zone.policies[claim["policy_id"]]["pet_id"] == claim["pet_id"]
        assert claim["provider_id"] in zone.providers
