"""The numbers that a text states, and the seconds that a claim's sentence states as a bound."""

from __future__ import annotations

import re
from math import prod

NUMERALS = {
    **{"no": 0, "nobody": 0, "nothing": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5},
    **{"six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12},
    **{"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70},
    **{"eighty": 80, "ninety": 90, "hundred": 100, "thousand": 1000},
}
BETWEEN_THOUSANDS = re.compile(r"(?<=\d) (?=\d{3}\b)")
LOWER_BOUND = re.compile(r"(?:at least|takes its) (?:[^:.]*: )?([\d.]+(?: [×+] [\d.]+)*) s\b")


def stated(text: str) -> set[float]:
    """The numbers that a text states, as digits or as words: "Sixty guests, 0.1 s" → {60, 0.1}."""
    digits = re.findall(r"\d+(?:\.\d+)?", BETWEEN_THOUSANDS.sub("", text))
    words = re.findall(r"[a-z]+", text.lower())
    return {*map(float, digits)} | {float(NUMERALS[word]) for word in words if word in NUMERALS}


def least_seconds(sentence: str) -> float | None:
    """The bound of a sentence like "They took at least 20 × 0.1 s."; None if it states none."""
    if not (found := LOWER_BOUND.search(sentence)):
        return None
    return sum(prod(map(float, product.split(" × "))) for product in found[1].split(" + "))
