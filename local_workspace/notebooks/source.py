"""Databricks' source format: one text file, cells between COMMAND lines, other languages behind MAGIC comments."""

from __future__ import annotations

import re
from dataclasses import dataclass

_COMMENTS = {"PYTHON": "#", "SQL": "--", "SCALA": "//", "R": "#"}
_MAGIC = re.compile(r"\s*%(?P<name>[a-z_]+)\b[ \t]?", re.IGNORECASE)
LANGUAGES = {"python", "sql", "md", "sh", "fs", "run", "pip", "restart_python", "scala", "r"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell. `line` is the line of the notebook's file on which `source` begins, counted from 1."""

    index: int
    language: str
    source: str
    line: int
    title: str | None = None


def parse(text: str, language: str) -> list[Cell]:
    """The cells of a notebook, empty ones left out. `language` is the notebook's own: PYTHON, SQL, …

    Line numbers stay true: blanking a header or a magic never removes its line.
    """
    comment = _COMMENTS[language]
    cells: list[Cell] = []
    for first_line, lines in _blocks(text.split("\n"), comment):
        cell = _cell(len(cells), first_line, lines, comment, language.lower())
        if cell is not None:
            cells.append(cell)
    return cells


def _blocks(lines: list[str], comment: str) -> list[tuple[int, list[str]]]:
    border = re.compile(rf"{re.escape(comment)} COMMAND -+\s*")
    blocks: list[tuple[int, list[str]]] = [(1, [])]
    for number, line in enumerate(lines, start=1):
        if number == 1 and line.lstrip("\ufeff").startswith(f"{comment} Databricks notebook source"):
            blocks[-1][1].append("")
        elif border.fullmatch(line):
            blocks.append((number + 1, []))
        else:
            blocks[-1][1].append(line.removesuffix("\r"))
    return blocks


def _cell(index: int, first_line: int, lines: list[str], comment: str, language: str) -> Cell | None:
    title, lines = _without_title(lines, comment)
    if any(_is_magic(line, comment) for line in lines):
        language, lines = _unmagic(lines, comment, language)
    while lines and not lines[0].strip():
        first_line, lines = first_line + 1, lines[1:]
    source = "\n".join(lines).rstrip()
    return Cell(index, language, source, first_line, title) if source or language not in ("python", "sql") else None


def _without_title(lines: list[str], comment: str) -> tuple[str | None, list[str]]:
    title = None
    kept: list[str] = []
    for line in lines:
        found = re.fullmatch(rf"{re.escape(comment)} DBTITLE \d+,(.*)", line)
        title = found[1].strip() if found else title
        kept.append("" if found else line)
    return title, kept


def _is_magic(line: str, comment: str) -> bool:
    return line == f"{comment} MAGIC" or line.startswith(f"{comment} MAGIC ")


def _unmagic(lines: list[str], comment: str, language: str) -> tuple[str, list[str]]:
    """The cell's language and its lines without the prefix; the magic word is blanked, not removed."""
    prefix = f"{comment} MAGIC"
    bare = [line[len(prefix) + 1 :] if _is_magic(line, comment) else "" for line in lines]
    for position, line in enumerate(bare):
        found = _MAGIC.match(line)
        if found and found["name"].lower() in LANGUAGES:
            bare[position] = line[found.end() :]
            return found["name"].lower(), bare
        if line.strip():
            break
    return language, bare
