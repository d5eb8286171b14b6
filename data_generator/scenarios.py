"""Named edge cases, each with the outcome that the pipeline owes. One policy per scenario, one table for all of them.

`expected_paid` is the amount by the policy's terms (None where the row is refused), `rule` the data-quality rule that
refuses the row, `ineligible` the term that excludes an accepted claim, `flag` what deserves an investigator's look.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

WAITING, PRE_EXISTING, NOT_COVERED, OUTSIDE, OTHER_PET = (
    "waiting_period", "pre_existing", "not_covered", "outside_term", "other_pet",
)  # fmt: skip
SKIN, CRUCIATE, NAIL, EXAM, TEETH, STOMACH = "SKN01", "ORT02", "ACC11", "WEL01", "DEN01", "GIT01"


@dataclass(frozen=True, slots=True)
class Case:
    """One landed row and its outcome. `day` counts from the policy's effective date, which is day 0.

    Rows of a scenario with the same `claim` are versions of one claim; the outcome is that of the last.
    """

    claim: int
    day: int
    amount: str
    code: str | None = SKIN
    expected_paid: str | None = None
    rule: str | None = None
    ineligible: str | None = None
    flag: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A policy with its claims. Terms not named: $250 deductible, 80 %, $5,000 a year, no riders, 0/14/30 days wait."""

    name: str
    story: str
    cases: tuple[Case, ...]
    policy: Mapping[str, str] = field(default_factory=dict)
    pet: Mapping[str, str] = field(default_factory=dict)
    age_days: int = 200
    onset_day: int | None = None


def _collusion(number: int) -> Scenario:
    case = Case(1, 40 + number, "4890.00", STOMACH, "3712.00", flag="provider_concentration")
    story = "One of five owners who bring the same near-limit bill of the same practice within days"
    return Scenario(f"provider_collusion_{number}", story, (case,))


SCENARIOS: tuple[Scenario, ...] = (
    Scenario("formula_example", "$1,000 bill, $250 deductible, 80 %: $600", (Case(1, 60, "1000.00", SKIN, "600.00"),)),
    Scenario(
        "deductible_over_two_claims",
        "The first bill leaves $100 of the deductible to the second",
        (Case(1, 60, "150.00", SKIN, "0.00"), Case(2, 61, "300.00", SKIN, "160.00")),
    ),
    Scenario(
        "deductible_anew_each_policy_year",
        "The last day of the first policy year and the first day of the second",
        (Case(1, 364, "1000.00", SKIN, "600.00"), Case(2, 365, "1000.00", SKIN, "600.00")),
        age_days=500,
    ),
    Scenario("bill_equals_deductible", "Nothing is left to pay, and nothing of the deductible",
             (Case(1, 60, "250.00", SKIN, "0.00"), Case(2, 61, "100.00", SKIN, "80.00"))),
    Scenario(
        "order_of_service_decides",
        "The claim that comes in later was served earlier, so it bears the deductible",
        (Case(1, 70, "1000.00", SKIN, "800.00"), Case(2, 60, "300.00", SKIN, "40.00")),
    ),
    Scenario("half_a_cent_goes_up", "70 % of 100.05 is 70.035", (Case(1, 60, "350.05", SKIN, "70.04"),),
             {"reimbursement_pct": "70"}),
    Scenario(
        "limit_exhausted",
        "Three bills against $5,000 a year: paid, cut, nothing left",
        (Case(1, 40, "4250.00", CRUCIATE, "3200.00"), Case(2, 80, "3000.00", CRUCIATE, "1800.00"),
         Case(3, 90, "500.00", SKIN, "0.00")),
    ),
    Scenario("no_annual_limit", "An empty annual limit is unlimited", (Case(1, 60, "52021.00", CRUCIATE, "41416.80"),),
             {"annual_limit": ""}),
    Scenario(
        "illness_waiting_period",
        "Illness waits 14 days: the last day of the wait, the first covered day",
        (Case(1, 13, "1000.00", SKIN, "0.00", ineligible=WAITING), Case(2, 14, "1000.00", SKIN, "600.00")),
    ),
    Scenario(
        "orthopedic_waiting_period",
        "Orthopaedic illness waits 30 days",
        (Case(1, 29, "1000.00", CRUCIATE, "0.00", ineligible=WAITING), Case(2, 30, "1000.00", CRUCIATE, "600.00")),
    ),
    Scenario("accidents_do_not_wait", "An accident on the first day", (Case(1, 0, "1000.00", NAIL, "600.00"),)),
    Scenario(
        "term_begins_and_ends",
        "The day before the policy, its last day, the day it has expired",
        (Case(1, -1, "500.00", NAIL, "0.00", ineligible=OUTSIDE), Case(2, 364, "1000.00", NAIL, "600.00"),
         Case(3, 365, "500.00", NAIL, "0.00", ineligible=OUTSIDE)),
        {"status": "Expired"}, age_days=400,
    ),
    Scenario(
        "cancelled_in_the_term",
        "The last covered day is the one before the cancellation",
        (Case(1, 99, "1000.00", NAIL, "600.00"), Case(2, 100, "500.00", NAIL, "0.00", ineligible=OUTSIDE)),
        {"status": "Cancelled", "cancellation_day": "100"},
    ),
    Scenario(
        "free_look_return",
        "Returned on day 10 of the free look of 15 days: what happens on that day is not covered",
        (Case(1, 10, "500.00", NAIL, "0.00", ineligible=OUTSIDE),),
        {"status": "Cancelled", "cancellation_day": "10"},
    ),
    Scenario(
        "known_before_the_policy",
        "The condition on the pet's list is excluded, another one is not",
        (Case(1, 60, "1000.00", SKIN, "0.00", ineligible=PRE_EXISTING), Case(2, 61, "1000.00", STOMACH, "600.00")),
        pet={"pre_existing_conditions": f"{SKIN};EAR01"}, onset_day=-100,
    ),
    Scenario(
        "onset_on_the_first_day",
        "What begins on the policy's first day is not pre-existing; the insurer bears the burden of proof",
        (Case(1, 60, "1000.00", SKIN, "600.00"),),
        pet={"pre_existing_conditions": SKIN}, onset_day=0,
    ),
    Scenario(
        "onset_the_day_before",
        "One day earlier it is",
        (Case(1, 60, "1000.00", SKIN, "0.00", ineligible=PRE_EXISTING),),
        pet={"pre_existing_conditions": SKIN}, onset_day=-1,
    ),
    Scenario(
        "no_new_wait_at_renewal",
        "Illness and orthopaedics in the first days of the second term",
        (Case(1, 366, "1000.00", SKIN, "600.00"), Case(2, 367, "1000.00", CRUCIATE, "800.00")),
        age_days=500,
    ),
    Scenario(
        "no_new_exclusion_at_renewal",
        "A condition that began in the first year stays covered in the second",
        (Case(1, 60, "1000.00", SKIN, "600.00"), Case(2, 400, "1000.00", SKIN, "600.00")),
        pet={"pre_existing_conditions": SKIN}, age_days=500, onset_day=60,
    ),
    Scenario(
        "wellness_is_sold_separately",
        "No rider, no wellness",
        (Case(1, 60, "400.00", EXAM, "0.00", ineligible=NOT_COVERED),),
    ),
    Scenario("wellness_does_not_wait", "With the rider, from the first day", (Case(1, 0, "400.00", EXAM, "120.00"),),
             {"includes_wellness": "true"}),
    Scenario("dental_needs_its_rider", "No rider, no teeth",
             (Case(1, 60, "900.00", TEETH, "0.00", ineligible=NOT_COVERED),)),
    Scenario("excluded_claims_use_up_nothing", "The excluded bill leaves deductible and limit as they were",
             (Case(1, 50, "4000.00", EXAM, "0.00", ineligible=NOT_COVERED), Case(2, 60, "1000.00", SKIN, "600.00"))),
    Scenario("another_pet", "A claim for a pet that the policy does not insure",
             (Case(1, 60, "1000.00", SKIN, "0.00", ineligible=OTHER_PET, fields={"pet": "formula_example"}),)),
    Scenario("same_row_twice", "The same row again counts once",
             (Case(1, 60, "1000.00", SKIN, "600.00"), Case(1, 60, "1000.00", SKIN, "600.00"))),
    Scenario(
        "mistyped_then_corrected",
        "The newer version wins, and leaves quarantine",
        (Case(1, 60, "-1000.00", rule="claim_amount_positive"), Case(1, 60, "1000.00", SKIN, "600.00")),
    ),
    Scenario(
        "duplicate_invoice",
        "One invoice under two claim ids",
        (Case(1, 60, "1000.00", SKIN, "600.00", fields={"invoice": "A"}),
         Case(2, 63, "1000.00", SKIN, "800.00", flag="duplicate_invoice", fields={"invoice": "A"})),
    ),
    Scenario("staged_timing", "A dear operation on the first day after the wait",
             (Case(1, 30, "6000.00", CRUCIATE, "4600.00", flag="post_waiting_spike"),)),
    Scenario("staged_timing_last_day", "Dear, on the last day on which timing is suspicious, and on the day after",
             (Case(1, 36, "2500.00", CRUCIATE, "1800.00", flag="post_waiting_spike"),
              Case(2, 37, "2600.00", CRUCIATE, "2080.00"))),
    Scenario("staged_timing_below_the_line", "A cent less is not dear", (Case(1, 30, "2499.99", CRUCIATE, "1799.99"),)),
    *(_collusion(number) for number in range(1, 6)),
    Scenario("currency_text", "An amount of another country is refused, never guessed",
             (Case(1, 60, "EUR 1.200,50", rule="claim_amount_is_money"),)),
    Scenario("negative_amount", "Below zero", (Case(1, 60, "-120.00", rule="claim_amount_positive"),)),
    Scenario("zero_amount", "Nothing claimed", (Case(1, 60, "0.00", rule="claim_amount_positive"),)),
    Scenario("missing_diagnosis", "Neither code nor words", (Case(1, 60, "300.00", None, rule="diagnosis_present"),)),
    Scenario("unknown_policy", "A policy that nobody has",
             (Case(1, 60, "300.00", rule="policy_known", fields={"policy": "nobody"}),)),
    Scenario("service_in_the_future", "Treated next month",
             (Case(1, 230, "300.00", rule="service_date_not_future"),)),
)  # fmt: skip
