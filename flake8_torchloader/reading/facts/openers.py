"""What is known of calls that open something: files, archives, databases, videos."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Opener:
    """What an open handle is like.

    `shares_position` says that processes which inherit it move each other's position in the file; `views` are the
    methods and attributes that give a part of it which is as open as the whole; `has_members` says that such a part is
    also found under a name, as in `file["images"]`.
    """

    shares_position: bool = False
    is_picklable: bool = False
    has_members: bool = False
    views: frozenset[str] = frozenset()


_FILE = Opener(shares_position=True)
_LIBRARY = Opener()
_HDF5 = Opener(
    has_members=True,
    views=frozenset({"get", "keys", "values", "items", "require_group", "require_dataset", "create_group", "file"}),
)

OPENERS: Mapping[str, Opener] = {
    "builtins.open": _FILE, "io.open": _FILE, "codecs.open": _FILE, "os.fdopen": _FILE, "gzip.open": _FILE,
    "gzip.GzipFile": _FILE, "bz2.open": _FILE, "bz2.BZ2File": _FILE, "lzma.open": _FILE, "lzma.LZMAFile": _FILE,
    "pathlib.Path.open": _FILE, "wave.open": _FILE, "numpy.load": _FILE, "tifffile.TiffFile": _FILE,
    "tempfile.TemporaryFile": _FILE, "tempfile.NamedTemporaryFile": _FILE, "cv2.VideoCapture": _FILE,
    "zipfile.ZipFile": Opener(shares_position=True, views=frozenset({"open"})),
    "tarfile.open": Opener(shares_position=True, views=frozenset({"extractfile"})),
    "tarfile.TarFile": Opener(shares_position=True, views=frozenset({"extractfile"})),
    "PIL.Image.open": Opener(shares_position=True, is_picklable=True),
    "h5py.File": _HDF5, "tables.open_file": Opener(has_members=True, views=frozenset({"root", "get_node"})),
    "netCDF4.Dataset": Opener(has_members=True, views=frozenset({"variables", "groups"})),
    "lmdb.open": Opener(views=frozenset({"begin", "open_db", "cursor"})),
    "lmdb.Environment": Opener(views=frozenset({"begin", "open_db", "cursor"})),
    "sqlite3.connect": Opener(views=frozenset({"cursor", "execute"})),
    "mmap.mmap": _LIBRARY, "decord.VideoReader": _LIBRARY, "av.open": _LIBRARY, "imageio.get_reader": _LIBRARY,
    "imageio.v2.get_reader": _LIBRARY, "imageio.v3.imopen": _LIBRARY, "soundfile.SoundFile": _LIBRARY,
    "rasterio.open": _LIBRARY, "openslide.OpenSlide": _LIBRARY, "openslide.open_slide": _LIBRARY,
    "pyarrow.parquet.ParquetFile": _LIBRARY, "pyarrow.memory_map": _LIBRARY,
}  # fmt: skip
"""What opens something that stays open until it is closed, each tried with real workers or a real pickler."""

READERS = frozenset({"csv.reader", "csv.DictReader", "builtins.iter", "builtins.enumerate"})
"""What goes through its first argument step by step, and holds it for that."""

PATHS = frozenset({"pathlib.Path", "pathlib.PosixPath"})
"""What makes a path, whose method `open` opens a file."""
