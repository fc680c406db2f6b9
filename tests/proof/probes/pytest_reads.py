"""Which of pytest-asyncio's two lines for one loop does pytest.ini take?"""

import os
import subprocess
import sys

plain = [sys.executable, "-m", "pytest", "-c", os.devnull, "--help"]
said = subprocess.run(plain, capture_output=True, text=True).stdout
kinds = [kind for kind in ("fixture", "test") if f"asyncio_default_{kind}_loop_scope" in said]
print(" and ".join(kinds) or "none")
