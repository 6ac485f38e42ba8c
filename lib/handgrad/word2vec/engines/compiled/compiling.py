"""How functions are compiled: for which processor, with which of numba's options, and where the code is kept.

FAST      sums in any order, no lock of Python's, kept for the next run
UNCOUNTED the same without reference counting
INLINE    the same, force-inlined
"""

import contextlib
import hashlib
import warnings
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
from numba import njit
from numba.core import config


def processor_has(feature):
    """Whether numba compiles for a processor with this flag: for this one, unless NUMBA_CPU_FEATURES says otherwise."""
    if config.CPU_FEATURES is None:
        return llvm.get_host_cpu_features().get(feature, False)
    return f"+{feature}" in config.CPU_FEATURES.split(",")


# Numbers in a vector: a register of 512 bits holds 16 of 32 bits, one of 256 holds 8. Fewer would do, but not more:
# there are too few registers for the sums.
LANES = 16 if processor_has("avx512f") else 8


def code_cache():
    """The folder in which numba keeps compiled code; None, with a warning, where there is no place for one.

    numba looks beside this file, in the user's cache, or in NUMBA_CACHE_DIR. In a container often none of them can be
    written to. numba then refuses to make any function with ``cache=True``, and so would end a run.
    """
    try:
        return Path(njit(cache=True)(code_cache).stats.cache_path)  # looks for the place, and compiles nothing
    except RuntimeError:
        warnings.warn(
            "There is no place to keep compiled code, so each run compiles it anew: set NUMBA_CACHE_DIR to a folder "
            "that can be written to.",
            stacklevel=2,
        )
        return None


def forget_old_code(cache):
    """Have numba compile anew what it has kept of earlier versions of the files with compiled functions.

    numba looks whether the file of a function has changed, and not the files of the functions that are inlined in it: a
    new version of one file would go on with the machine code of the old one.
    """
    sources = [file.read_bytes() for file in sorted(Path(__file__).parent.glob("*.py"))]
    digest = hashlib.sha256(b"".join(source for source in sources if b"@njit" in source)).hexdigest()
    stamp = cache / "handgrad.sources"
    with contextlib.suppress(OSError):  # a folder that cannot be written to by now keeps no code either
        if not stamp.exists() or stamp.read_text() != digest:
            for old in cache.glob("*.nb[ic]"):
                old.unlink(missing_ok=True)
            stamp.write_text(digest)


CODE_CACHE = code_cache()
if CODE_CACHE is not None:
    forget_old_code(CODE_CACHE)

# Sums may be taken in any order, so that the compiler can use vector instructions; what is no number stays no number.
ANY_ORDER = {"reassoc", "contract", "nsz", "arcp"}
FAST: dict[str, Any] = {"fastmath": ANY_ORDER, "nogil": True, "cache": CODE_CACHE is not None, "error_model": "numpy"}
# Skips reference counting, which took a quarter of the time of a tree. Such a function can neither make an array nor
# return one.
UNCOUNTED = FAST | {"_nrt": False}
# Force-inlined: a call with ten arrays takes longer than some functions run.
INLINE = UNCOUNTED | {"forceinline": True}
