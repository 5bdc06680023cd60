"""Files under their sha256 in the storage for media, what was made of them beside them, and uploads on their way.

No database here. A name always stands for whole contents. One lock file keeps a sweep from taking away what a store is
about to name. Uploads gather in a folder of this machine, wherever the whole files go.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, cast

from django.conf import settings
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, Storage, storages

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

PIECE = 2**18
# What may be made of a file, and goes with it: small and large pictures of it.
FORMS = ("thumbnail", "preview")


def storage() -> Storage:
    """Where stored files lie: a folder, or what the settings say."""
    return storages["media"]


def name_of(sha256: str, form: str = "") -> str:
    """The name that these bytes, or what was made of them, have there."""
    return f"{sha256[:2]}/{sha256}" + (f".{form}" if form else "")


def path_of(sha256: str, form: str = "") -> Path:
    """Where the bytes with this hash lie, or would. Only for a storage that is a folder."""
    return Path(storage().path(name_of(sha256, form)))


def upload_path(upload_id: str) -> Path:
    """Where an upload's bytes gather."""
    return Path(settings.MEDIA_ROOT) / "uploads" / upload_id


def digest(file: BinaryIO) -> tuple[str, int]:
    """The sha256 and the size of a file, read in pieces."""
    file.seek(0)
    sha256, size = hashlib.sha256(), 0
    while piece := file.read(PIECE):
        sha256.update(piece)
        size += len(piece)
    return sha256.hexdigest(), size


@contextlib.contextmanager
def lock() -> Iterator[None]:
    """Held while a file and the row that names it come or go together."""
    root = Path(settings.MEDIA_ROOT)
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (root / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def is_full(error: OSError) -> bool:
    """Whether it is the disk, or the folder's quota."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def exists(sha256: str, form: str = "") -> bool:
    return storage().exists(name_of(sha256, form))


def put(file: BinaryIO, sha256: str) -> None:
    """Make the file's bytes lie at their place, whole or not at all."""
    file.seek(0)
    _put(File(file), name_of(sha256))


def put_made(content: bytes, sha256: str, form: str) -> None:
    """Keep what was made of these bytes beside them."""
    _put(ContentFile(content), name_of(sha256, form))


def _put(content: File[bytes], name: str) -> None:
    store = storage()
    if store.exists(name):
        return
    if (taken := store.save(name, content)) != name:  # somebody was quicker, with the same bytes
        store.delete(taken)


def open_stored(sha256: str, form: str = "") -> BinaryIO:
    """The bytes as an open file. Raises FileNotFoundError."""
    return cast("BinaryIO", storage().open(name_of(sha256, form)))


def delete(sha256: str) -> None:
    """Take the bytes away, and all that was made of them."""
    for form in ("", *FORMS):
        storage().delete(name_of(sha256, form))


@contextlib.contextmanager
def on_this_machine(sha256: str) -> Iterator[Path]:
    """A path at which the bytes can be read for now. Raises FileNotFoundError."""
    if not isinstance(storage(), FileSystemStorage):  # a copy for as long as it is needed
        with open_stored(sha256) as source, tempfile.NamedTemporaryFile() as copy:
            shutil.copyfileobj(source, copy, PIECE)
            copy.flush()
            yield Path(copy.name)
        return
    path = path_of(sha256)
    if not path.exists():
        raise FileNotFoundError(path)
    yield path


@contextlib.contextmanager
def appending(upload_id: str) -> Iterator[BinaryIO | None]:
    """The upload's file, open at its end and held by this writer alone; None while another writes to it."""
    place = upload_path(upload_id)
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with place.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield file
