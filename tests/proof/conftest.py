"""What these tests need: minutes. `python tests/proof` runs them; `make test` does not.

Beside them are the parts of the long proof and the table of seeded faults (`fault_table.py`).
"""
