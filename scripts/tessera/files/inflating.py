"""Inflating a block of a BGZF into memory that is there already, by the libdeflate that the package deflate carries."""

import ctypes
from collections.abc import Callable
from typing import Any

#: (place, its length, CRC32, address to inflate to, length there) -> whether the block holds just that
Inflate = Callable[[int, int, int, int, int], bool]


def inflater() -> Inflate:
    """What inflates block after block, for one thread. Nothing is written beyond the length that was given."""
    from deflate import _deflate

    library = ctypes.CDLL(_deflate.__file__)
    try:
        return Libdeflate(library)
    except AttributeError:  # built to keep its functions to itself
        return _by_copies


class Libdeflate:
    """The library's own functions: no object for a block, and no copy of it."""

    def __init__(self, library: Any) -> None:
        pointer, size = ctypes.c_void_p, ctypes.c_size_t
        self._free, self._crc32 = library.libdeflate_free_decompressor, library.libdeflate_crc32
        self._free.argtypes, self._free.restype = [pointer], None
        self._crc32.argtypes, self._crc32.restype = [ctypes.c_uint32, pointer, size], ctypes.c_uint32
        self._decompress = library.libdeflate_deflate_decompress
        self._decompress.argtypes = [pointer, pointer, size, pointer, size, pointer]
        self._decompress.restype = ctypes.c_int
        begin = library.libdeflate_alloc_decompressor
        begin.argtypes, begin.restype = [], pointer
        self._state = begin()
        if not self._state:
            raise MemoryError

    @property
    def addresses(self) -> tuple[int | None, ...]:
        """Where its state and its functions lie: what decompresses, and what works out a CRC32."""
        functions = self._decompress, self._crc32
        return self._state, *(ctypes.cast(function, ctypes.c_void_p).value for function in functions)

    def __del__(self) -> None:
        if getattr(self, "_state", None):
            self._free(self._state)

    def __call__(self, source: int, size: int, crc: int, target: int, length: int) -> bool:
        # without a place for the length it must be just that
        wrong = self._decompress(self._state, source, size, target, length, None)
        return not wrong and bool(self._crc32(0, target, length) == crc)


def _by_copies(source: int, size: int, crc: int, target: int, length: int) -> bool:
    import deflate

    try:
        block = deflate.deflate_decompress(ctypes.string_at(source, size), length)
    except (deflate.DeflateError, ValueError, MemoryError):
        return False
    if len(block) != length or deflate.crc32(block) != crc:
        return False
    ctypes.memmove(target, bytes(block), length)
    return True
