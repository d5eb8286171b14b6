"""Deterministic landing data of a pet insurer: what the bronze notebook finds in its landing folder.

Seed, size and as-of date determine every byte. The seed is part of every id, so two seeds never share one.
Amounts follow the policies' terms: `approved_amount` of the clean claims is the published formula
`min(limit left, (claim - deductible left)+ x pct)`, per policy year (anniversaries of `effective_date`),
in order of service date, then submitted date, then claim id; denied and faulty claims consume nothing.
"""
