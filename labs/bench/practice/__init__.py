"""What a learner calls in a lab, and how a lab's checks are run."""

from bench.practice.commands import hint, solution, submit

__all__ = ["hint", "solution", "submit"]
