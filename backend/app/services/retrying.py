"""When to try again: backoff with jitter, and what the workspace itself asked for."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from app.domain.errors import WorkspaceError


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Full jitter over an exponential: the n-th wait lies in [half, whole] of base * 2^n, at most `cap_s`."""

    base_s: float = 0.5
    cap_s: float = 30.0
    deadline_s: float = 15 * 60.0
    dice: random.Random = field(default_factory=random.Random)

    def pause_s(self, attempts: int, fault: WorkspaceError) -> float:
        """Seconds until the next try after `attempts` failed ones; never sooner than the workspace asked."""
        whole = min(self.cap_s, self.base_s * 2 ** min(max(attempts - 1, 0), 16))
        asked: float = getattr(fault, "retry_after_s", None) or 0.0
        return float(max(asked, self.dice.uniform(whole / 2, whole)))
