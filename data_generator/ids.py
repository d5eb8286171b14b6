"""Ids. The seed in base 36 stands in every one of them, so that two seeds never share an id."""

SCENARIO_MARK = ".S-"
"""Stands in the ids of scenarios and in no other."""

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def base36(number: int) -> str:
    text = ""
    while True:
        number, digit = divmod(number, 36)
        text = DIGITS[digit] + text
        if not number:
            return text


def from_base36(text: str) -> int:
    return int(text, 36)


def numbered(prefix: str, seed: int, numbers: list[int]) -> list[str]:
    """`PREFIX-<seed>-0000001` for every zero-based number."""
    head = f"{prefix}-{base36(seed)}-"
    return [f"{head}{number + 1:07d}" for number in numbers]
