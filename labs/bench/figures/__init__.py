"""The figures of the course: inline SVG that follows the theme."""
