"""Which driver SQLAlchemy takes for an address that names none."""

from sqlalchemy import make_url

print(make_url("postgresql://anna@localhost/bistro").get_dialect().driver)
