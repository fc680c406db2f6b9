"""The colours of the course, for every figure and timeline."""

from __future__ import annotations

BLUE, VERMILION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
"""At least 3:1 on white and on #121212. Colour never stands alone: each has a marker, a dash or a
pattern beside it."""
