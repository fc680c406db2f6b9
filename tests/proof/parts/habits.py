"""What a class does to a lesson brings no red claim: run twice, interrupt, shut the laptop."""

from __future__ import annotations

from class_habits import Habit, load
from memory import LABORATORY, Memory, fingerprint
from proving import prove


def print_of(habit: Habit) -> str:
    return fingerprint(habit.name, habit.lesson.read_text("utf-8"), folders=LABORATORY)


def habits(memory: Memory, only: str = "") -> list[str]:
    """what a class does to each lesson brings no red claim: twice, out of order, interrupted, …"""
    table = [(habit, print_of(habit)) for habit in load() if only in habit.name]
    return prove(memory, "habit", table, Habit.complaint, "without a red claim")
