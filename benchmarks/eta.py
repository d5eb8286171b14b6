"""The time left, on generated histories: do the intervals hold, do they beat simple guesses, do they jump up silently.

Every scenario is a sequence of runs with its own truth (warm and cold starts, drift, outliers, size). Before each run
the model knows the runs before it and nothing else; during the run it is asked every TICK_S seconds, as by the poller.
Predictions are scored where the product stores them: at the click, when a phase changes, when the estimate is set up.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from app.domain.eta import Eta, Standing, estimate
from app.domain.eta_display import shown, why_longer
from app.domain.eta_model import FIRST_TASK, START, Model, PastRun, learn
from app.domain.eta_quality import Guess, Outcome, Quality, baselines, quality

SEEDS = (1, 2, 3, 4, 5)
RUNS = 150
KEPT = 50
FIRST_SCORED = 8
TICK_S = 5.0
STEPS = 9


@dataclass(frozen=True)
class Scenario:
    """What the generated world does. Shares are probabilities per run."""

    cold_share: float = 0.0
    queued_share: float = 0.0
    outlier_share: float = 0.0
    sized: bool = False
    drift_per_run: float = 0.0
    step_at: int | None = None


SCENARIOS = {
    "plain": Scenario(),
    "warm_and_cold": Scenario(cold_share=0.3),
    "drift": Scenario(cold_share=0.2, drift_per_run=0.006, step_at=90),
    "outliers": Scenario(cold_share=0.2, outlier_share=0.06),
    "size": Scenario(cold_share=0.2, sized=True),
    "everything": Scenario(0.3, 0.1, 0.03, True, 0.004, 90),
}


@dataclass(frozen=True)
class Run:
    """A run as it will turn out; `steps` are the shares of each task's time that its reported steps take."""

    past: PastRun
    cold: bool
    steps: tuple[tuple[float, ...], ...]

    @property
    def phases_s(self) -> tuple[float, ...]:
        return self.past.phases_s


@dataclass
class Score:
    """What was predicted and came true; and how the shown time moved."""

    outcomes: list[Outcome] = field(default_factory=list)
    ticks: list[Outcome] = field(default_factory=list)
    silent_jumps: int = 0
    stated_rises: int = 0
    runs: int = 0


def measure() -> dict[str, object]:
    """Every scenario over every seed, and all of them together."""
    whole = Score()
    figures: dict[str, object] = {}
    for name, scenario in SCENARIOS.items():
        score = Score()
        for seed in SEEDS:
            play(scenario, seed, score)
        figures[name] = told(score)
        whole.outcomes += score.outcomes
        whole.ticks += score.ticks
        whole.silent_jumps += score.silent_jumps
        whole.stated_rises += score.stated_rises
        whole.runs += score.runs
    return {"seeds": len(SEEDS), "runs_per_seed": RUNS, "all": told(whole), **figures}


def told(score: Score) -> dict[str, object]:
    """The figures of a score."""
    stored, every_tick = quality(score.outcomes), quality(score.ticks)
    assert stored is not None
    assert every_tick is not None
    return {
        **summary(stored),
        "every_tick": summary(every_tick),
        "silent_jumps": score.silent_jumps,
        "stated_rises_per_run": round(score.stated_rises / score.runs, 2),
    }


def summary(found: Quality) -> dict[str, object]:
    """The figures of one calibration."""
    return {
        "n": found.n,
        "p50_coverage": round(found.p50_coverage, 3),
        "p90_coverage": round(found.p90_coverage, 3),
        "pinball_s": round(found.pinball_s, 2),
        "baselines_s": {name: round(loss_s, 2) for name, loss_s in found.baselines_s.items()},
        "below_the_better_baseline": round(found.gain or 0.0, 3),
    }


def play(scenario: Scenario, seed: int, score: Score, runs: int = RUNS) -> None:
    """A whole history, run by run."""
    history: list[PastRun] = []
    for run in generated(scenario, random.Random(seed), runs):
        if len(history) >= FIRST_SCORED:
            score.runs += 1
            _watch(run, learn(history[-KEPT:]), history, score)
        history.append(run.past)


def generated(scenario: Scenario, dice: random.Random, runs: int) -> Iterator[Run]:
    """Runs of three tasks whose true law the model is not told."""
    bases_s = [dice.uniform(10, 60) for _ in range(3)]
    slopes_s = [dice.uniform(0.02, 0.15) if scenario.sized else 0.0 for _ in range(3)]
    cold_s = dice.uniform(120, 280)
    level = 1.0
    for number in range(runs):
        level *= 1 + scenario.drift_per_run * dice.uniform(0.5, 1.5)
        if number == scenario.step_at:
            level *= dice.choice((0.65, 1.5))
        claims = max(1, round(dice.lognormvariate(5.5, 1.0))) if scenario.sized else 300
        cold = dice.random() < scenario.cold_share
        common = level * dice.lognormvariate(0, 0.08)
        tasks_s = [
            common * (base_s + slope_s * claims) * dice.lognormvariate(0, 0.12)
            for base_s, slope_s in zip(bases_s, slopes_s, strict=True)
        ]
        if dice.random() < scenario.outlier_share:
            tasks_s[dice.randrange(3)] *= dice.uniform(2.5, 8)
        start_s = cold_s * dice.lognormvariate(0, 0.2) if cold else dice.lognormvariate(0.5, 0.4)
        queue_s = dice.uniform(10, 300) if dice.random() < scenario.queued_share else 0.0
        past = PastRun((queue_s, start_s, *tasks_s, dice.uniform(0.2, 1.5)), claims)
        yield Run(past, cold, tuple(_steps(dice) for _ in tasks_s))


def _steps(dice: random.Random) -> tuple[float, ...]:
    """Reported steps are not equally long."""
    parts = [dice.expovariate(1) + 0.2 for _ in range(STEPS)]
    return tuple(part / sum(parts) for part in parts)


def _watch(run: Run, model: Model, history: list[PastRun], score: Score) -> None:
    """Follow one run from the click to its end as the poller would."""
    whole_s = [sum(past.phases_s[START:]) for past in history]
    display: Eta | None = None
    shown_at_s = 0.0
    phase_before: int | None = None
    for at_s, standing in _ticks(run):
        left = display.after(at_s - shown_at_s) if display else None
        task = f"task {standing.phase - FIRST_TASK + 1}" if FIRST_TASK <= standing.phase < FIRST_TASK + 3 else None
        now = estimate(model, standing)
        display, cause = shown(left, now, partial(why_longer, model, standing, task=task))
        shown_at_s = at_s
        if display is None:
            continue
        rose = left is not None and (display.p90_s > left.p90_s + 1e-9 or display.p50_s > left.p50_s + 1e-9)
        score.silent_jumps += rose and cause is None
        score.stated_rises += rose and cause is not None
        outcome = _outcome(run, display, at_s, whole_s)
        score.ticks.append(outcome)
        if standing.phase != phase_before or cause is not None:
            score.outcomes.append(outcome)
        phase_before = standing.phase


def _outcome(run: Run, display: Eta, at_s: float, whole_s: list[float]) -> Outcome:
    in_run_s = max(0.0, at_s - run.phases_s[0])
    guesses = baselines(whole_s, in_run_s, _fraction(run, in_run_s))
    return Outcome(Guess(display.p50_s, display.p90_s), sum(run.phases_s) - at_s, guesses)


def _ticks(run: Run) -> Iterator[tuple[float, Standing]]:
    """Each moment at which the run is looked at: every TICK_S, and as soon as a phase begins."""
    begun_s = 0.0
    for phase, lasts_s in enumerate(run.phases_s):
        if phase == 0 and lasts_s == 0:
            continue
        elapsed_s = 0.0
        while elapsed_s < lasts_s:
            warm = not run.cold if phase <= START and begun_s + elapsed_s == 0 else None
            yield begun_s + elapsed_s, Standing(run.phases_s[:phase], elapsed_s, run.past.claims, warm)
            elapsed_s += TICK_S
        begun_s += lasts_s


def _fraction(run: Run, in_run_s: float) -> float:
    """How much is done, by tasks and reported steps, each counted alike: what a progress bar would show."""
    left_s = in_run_s - run.phases_s[START]
    done = 0.0
    for lasts_s, steps in zip(run.phases_s[FIRST_TASK:-1], run.steps, strict=True):
        if left_s >= lasts_s:
            done += 1
        elif left_s > 0:
            reached, place = 0.0, 0
            while place < STEPS and reached + steps[place] * lasts_s <= left_s:
                reached += steps[place] * lasts_s
                place += 1
            done += place / STEPS
        left_s -= lasts_s
    return min(1.0, done / len(run.steps))
