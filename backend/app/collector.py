"""The garbage collector as a server needs it: what lasts is not walked again and again.

A full collection stops everybody while it walks all objects: half a tenth of a second for those of the libraries.
"""

from __future__ import annotations

import gc

# Young objects are collected when so many were made; full collections, by default every tenth of the middle ones, are
# rare: nearly all that becomes garbage does so while it is young.
YOUNG = 1_000
MIDDLE_EVERY = 10
FULL_EVERY = 400


def rest_while_starting() -> None:
    """Collect nothing until `spare_what_lasts`: a start makes what lasts, and walking it takes a fifth of the start."""
    gc.disable()


def spare_what_lasts() -> None:
    """Leave everything that there is by now out of all collections to come. Costs nothing; may be repeated."""
    gc.set_threshold(YOUNG, MIDDLE_EVERY, FULL_EVERY)
    gc.freeze()
    gc.enable()
