"""Has the PostgreSQL of a wheel that setting?  postgres_has.py transaction_timeout"""

import subprocess
import sys
import sysconfig
from pathlib import Path

packages = Path(sysconfig.get_path("purelib"))
server = next(packages.glob("*/pginstall/bin/postgres*"))
told = subprocess.run([server, "--describe-config"], capture_output=True, text=True, check=True)
settings = {line.split("\t")[0] for line in told.stdout.splitlines()}
print("yes" if sys.argv[1] in settings else "no")
