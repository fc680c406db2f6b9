"""What SQLAlchemy says when an async driver is asked outside of its greenlet."""

import warnings

from sqlalchemy import create_engine

warnings.simplefilter("ignore")
try:
    create_engine("sqlite+aiosqlite://").connect()
except Exception as error:
    print(str(error).split("can't call ")[-1].split(" ")[0])
