"""The questions of the course: their files, and their cards."""
