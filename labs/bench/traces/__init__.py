"""The trace: its format, its timeline as a figure, and its player."""
