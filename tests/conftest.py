"""What numba has compiled is kept by the file that a function stands in, so it would miss a change in a file that the
function calls: tests of a changed kernel would pass with the old one. So each state of these files has a folder."""

import hashlib
import os
import shutil
from pathlib import Path

ROOT = Path(__file__).parent.parent
KEPT = ROOT / ".numba_cache"


def pytest_configure(config):
    sources = [path.read_bytes() for path in sorted((ROOT / "lib/handgrad").rglob("*.py"))]
    compiled = hashlib.sha256(b"".join(source for source in sources if b"@njit" in source)).hexdigest()[:12]
    os.environ.setdefault("NUMBA_CACHE_DIR", str(KEPT / compiled))
    if not os.environ.get("PYTEST_XDIST_WORKER"):
        for old in set(KEPT.glob("*")) - {KEPT / compiled}:
            shutil.rmtree(old, ignore_errors=True)
