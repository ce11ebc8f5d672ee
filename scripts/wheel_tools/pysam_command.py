"""The command line of samtools or bcftools out of the pysam wheel, as the programs themselves would behave.

pysam compiles both programs into its extension modules; their entry point is called here by ctypes, so that
input and output stream, threads are real and exit codes come through. These symbols are no documented API of
pysam: its version is pinned beside this file's tests.
"""

import ctypes
import os
import signal
import sys
from importlib import import_module
from typing import NoReturn

STDOUT, STDERR = 1, 2


def run(program: str) -> NoReturn:
    """Run `program` (samtools or bcftools) with this process's arguments and end with its exit code."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it; a filter must die when its reader does
    if sys.argv[1:2] in (["--version"], ["version"]):
        print_version(program)
        sys.exit(0)
    module = import_module(f"pysam.libc{program}")
    library = ctypes.CDLL(module.__file__)
    getattr(library, f"{program}_set_stdout")(STDOUT)
    getattr(library, f"{program}_set_stderr")(STDERR)
    words = [program, *sys.argv[1:]]
    argv = (ctypes.c_char_p * (len(words) + 1))(*map(os.fsencode, words), None)
    code = getattr(library, f"{program}_dispatch")(len(words), argv)
    unwritten = ctypes.CDLL(None).fflush(None)
    # os._exit: the C library's own buffers are written, and Python has nothing left to say
    os._exit(1 if code == 0 and unwritten else code & 0xFF)


def print_version(program: str) -> None:
    """Print the version lines; the entry point in the wheel does not know this option."""
    from pysam import version

    print(f"{program} {getattr(version, f'__{program}_version__')}")
    print(f"Using htslib {version.__htslib_version__} (of the wheel pysam {version.__version__})")
