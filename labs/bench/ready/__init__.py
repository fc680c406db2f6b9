"""Is this computer ready for the course? `python -m bench.ready` says so in seconds, offline.

It looks at the machine (`machine`), then tries what a lesson does (`attempts`): PostgreSQL, one
experiment, one notebook. Everything it starts is gone when it ends. `verdict` says the outcome.
"""
