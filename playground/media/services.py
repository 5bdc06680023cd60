"""What pages, runs and commands do with media: store, open, take uploads in parts, sweep."""

from __future__ import annotations

import contextlib
import io
import logging
import time
import unicodedata
from datetime import timedelta
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Sum
from django.utils import timezone

from playground.media import blobs
from playground.media.kinds import OCTETS, Kind, recognise, sizes, verify_image
from playground.media.models import Blob, Reference, Upload
from playground.protocol.errors import ConflictError, InputError, NotFoundError, OverloadedError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from typing import BinaryIO

    from django.contrib.auth.models import AnonymousUser

    from playground.catalog.models import User

__all__ = [
    "append_part",
    "begin_upload",
    "ensure_samples",
    "find",
    "find_upload",
    "finish_upload",
    "let_go",
    "open_bytes",
    "open_reference",
    "read_reference",
    "refer",
    "refer_to",
    "removing_unnamed",
    "store",
    "store_answer",
    "sweep",
    "verify_image",
]

logger = logging.getLogger(__name__)

SAMPLES = Path(__file__).resolve().parent / "samples"
KEPT_UNUSED = timedelta(hours=24)
MAX_OPEN_UPLOADS = 50
MAX_NAME = 255
_AT_ONCE = 200
_JOINERS = "\u200c\u200d"


def store(
    data: bytes | BinaryIO, owner: User | None, name: str = "", *, is_kept: bool = False, is_sample: bool = False
) -> Reference:
    """Keep some bytes, once however often they come, and give their owner a reference. Raises InputError for a
    broken picture.
    """
    file = io.BytesIO(data) if isinstance(data, bytes) else data
    return _keep(file, recognise(file), owner, name, is_kept=is_kept, is_sample=is_sample)


def refer_to(sha256: str, size: int, kind: Kind, owner: User | None, name: str = "") -> Reference:
    """A reference, held by an input, to bytes that lie in their place and were examined; the lock is held."""
    blob, _ = Blob.objects.get_or_create(sha256=sha256, defaults={"size": size})
    return Reference.objects.create(
        owner=owner,
        blob=blob,
        content_type=kind.content_type,
        name=plain_name(name),
        width=kind.width,
        height=kind.height,
        is_kept=True,
        is_held=True,
    )


def refer(owner: User, reference: Reference, *, is_kept: bool = False) -> Reference:
    """The owner's own reference to the same bytes: ``reference`` itself where it is theirs already."""
    if reference.owner_id == owner.pk:
        return reference
    same = Reference.objects.filter(owner=owner, blob=reference.blob_id, content_type=reference.content_type)
    found = same.order_by("pk").first()
    if found is not None:
        return found
    return Reference.objects.create(
        owner=owner,
        blob_id=reference.blob_id,
        content_type=reference.content_type,
        name=reference.name,
        width=reference.width,
        height=reference.height,
        is_kept=is_kept,
    )


def let_go(reference_ids: Iterable[str]) -> int:
    """What no input holds any more goes at once, bytes and all, unless a run has it; how many references went."""
    ids = list(reference_ids)
    gone = 0
    for start in range(0, len(ids), _AT_ONCE):
        some = Reference.objects.filter(pk__in=ids[start : start + _AT_ONCE], is_sample=False)
        with blobs.lock(), transaction.atomic():
            some.update(is_held=False)
            unused = some.filter(run_uses=None)
            hashes = set(unused.values_list("blob_id", flat=True))
            count, _ = unused.delete()
            gone += count
            _remove_unused(hashes)
    return gone


def _remove_unused(hashes: Iterable[str]) -> list[str]:
    """Take away the bytes of those that nothing refers to; the lock is held."""
    unused = list(Blob.objects.filter(pk__in=hashes, references=None).values_list("pk", flat=True))
    Blob.objects.filter(pk__in=unused).delete()
    for sha256 in unused:
        blobs.delete(sha256)
    return unused


@contextlib.contextmanager
def removing_unnamed(hashes: Collection[str]) -> Iterator[None]:
    """Of the bytes that were put, or are within, those that no row names at the end go again; the lock is held."""
    try:
        yield
    finally:
        with contextlib.suppress(DatabaseError):  # the sweep finds them too
            for sha256 in set(hashes) - set(Blob.objects.filter(pk__in=hashes).values_list("pk", flat=True)):
                blobs.delete(sha256)


def store_answer(data: bytes, owner: User, name: str = "", *, content_type: str = "") -> Reference:
    """Keep what a model made, whatever it is: a broken picture is kept as bytes, for its reader to look into."""
    file = io.BytesIO(data)
    try:
        kind = Kind(content_type) if content_type else recognise(file)
    except InputError:
        kind = Kind(OCTETS)
    return _keep(file, kind, owner, name, is_kept=True)


def _keep(
    file: BinaryIO,
    kind: Kind,
    owner: User | None,
    name: str,
    *,
    is_kept: bool = False,
    is_sample: bool = False,
) -> Reference:
    sha256, size = blobs.digest(file)
    with blobs.lock(), removing_unnamed([sha256]):
        blobs.put(file, sha256)
        with transaction.atomic():
            blob, _ = Blob.objects.get_or_create(sha256=sha256, defaults={"size": size})
            return Reference.objects.create(
                owner=owner,
                blob=blob,
                content_type=kind.content_type,
                name=plain_name(name),
                width=kind.width,
                height=kind.height,
                is_kept=is_kept,
                is_sample=is_sample,
            )


def plain_name(name: str) -> str:
    """A file's name without folders and control characters, at most 255 long: shown, and offered on saving.

    What joins letters and emoji stays, as do wide and narrow spaces; what turns the direction of reading goes. One too
    long keeps its ending; one of dots and spaces alone is none.
    """
    last = PurePath(name.replace("\\", "/")).name.replace("\n", " ").replace("\t", " ")
    kept = (one for one in last if one.isprintable() or one in _JOINERS or unicodedata.category(one) == "Zs")
    plain = "".join(kept)
    if not plain.strip(" ."):
        return ""
    ending = PurePath(plain).suffix if len(plain) > MAX_NAME else ""
    ending = ending if len(ending) <= 16 else ""
    return plain[: MAX_NAME - len(ending)] + ending


def find(user: User | AnonymousUser, reference_id: str) -> Reference:
    """The reference with this id. Raises NotFoundError when there is none for this user."""
    reference = Reference.objects.visible_to(user).select_related("blob").filter(pk=reference_id).first()
    if reference is None:
        raise NotFoundError(f"No file {reference_id[:40]} for you. It does not exist, or is not yours.")
    return reference


def open_reference(user: User | AnonymousUser, reference_id: str) -> BinaryIO:
    """The bytes of a reference as an open file. Raises NotFoundError when there is none for this user."""
    return open_bytes(find(user, reference_id))


def open_bytes(reference: Reference) -> BinaryIO:
    """The bytes of a reference that the caller has looked up for its user."""
    try:
        return blobs.open_stored(reference.blob_id)
    except FileNotFoundError:
        logger.exception("The bytes of media %s are gone", reference.pk)
        raise NotFoundError(f"The bytes of file {reference.name or reference.pk} are gone.") from None


def read_reference(user: User | AnonymousUser, reference_id: str) -> bytes:
    """The bytes of a reference. Raises NotFoundError when there is none for this user."""
    with open_reference(user, reference_id) as file:
        return file.read()


def begin_upload(user: User, *, name: str, size: int, expect: str = "") -> Upload:
    """Announce an upload. Raises InputError at once when it is larger than may be, before a byte is sent.

    ``expect`` ("image") is what the field takes, for its own limit.
    """
    limit = settings.MAX_IMAGE_BYTES if expect == "image" else settings.MAX_UPLOAD_BYTES
    if size > limit:
        what = "A picture" if expect == "image" else "A file"
        raise InputError(f"{what} may have at most {sizes(limit, size)}. Nothing was sent.")
    if size <= 0:
        raise InputError("The file is empty.")
    waiting = Upload.objects.filter(owner=user)
    announced = waiting.aggregate(total=Sum("size"))["total"] or 0
    if waiting.count() >= MAX_OPEN_UPLOADS or announced + size > 10 * settings.MAX_UPLOAD_BYTES:
        raise OverloadedError("Too many uploads are under way: finish or remove some first.")
    return Upload.objects.create(owner=user, name=plain_name(name), size=size)


def find_upload(user: User | AnonymousUser, upload_id: str) -> Upload:
    """The user's upload with this id, ``received`` brought up to what lies on disk. Raises NotFoundError."""
    upload = Upload.objects.filter(owner=user, pk=upload_id).first() if user.is_authenticated else None
    if upload is None:
        raise NotFoundError("No such upload: it was finished or removed, or is not yours.")
    place = blobs.upload_path(upload.pk)
    upload.received = place.stat().st_size if place.exists() else 0
    return upload


def append_part(upload: Upload, offset: int, part: bytes) -> int:
    """Add the part at ``offset`` and return what has been received in all.

    Raises ConflictError when the part does not begin where the last one ended, InputError when it goes past the size
    announced.
    """
    if offset + len(part) > upload.size:
        raise InputError(f"The upload was announced with {upload.size} bytes; this part would go past them.")
    with blobs.appending(upload.pk) as file:
        if file is None:
            raise ConflictError("Another part of this upload is being written.")
        received = file.tell()
        if offset != received:
            raise ConflictError(f"The next part begins at byte {received}, not at {offset}.")
        file.write(part)
        received += len(part)
    Upload.objects.filter(pk=upload.pk).update(received=received)
    upload.received = received
    return received


def finish_upload(upload: Upload, *, expect: str = "") -> Reference:
    """Turn a complete upload into a reference. Raises ConflictError while bytes are missing, and InputError for a
    broken picture, or no picture where ``expect`` is "image"; the upload is then gone.
    """
    if upload.received != upload.size:
        raise ConflictError(f"{upload.received} of {upload.size} bytes have arrived so far.")
    with blobs.upload_path(upload.pk).open("rb") as file:
        try:
            kind = recognise(file)
            if expect and not kind.content_type.startswith(f"{expect}/"):
                what = "picture" if expect == "image" else expect
                raise InputError(f"{upload.name or 'The file'} is no {what}: its bytes look like {kind.content_type}.")
        except InputError:
            remove_upload(upload)
            raise
        reference = _keep(file, kind, upload.owner, upload.name)
    remove_upload(upload)
    return reference


def remove_upload(upload: Upload) -> None:
    """Forget an upload and its bytes so far."""
    Upload.objects.filter(pk=upload.pk).delete()
    blobs.upload_path(upload.pk).unlink(missing_ok=True)


def ensure_samples() -> list[Reference]:
    """The sample pictures, for everyone signed in; made on the first start, the same ones afterwards."""
    there = {reference.name: reference for reference in Reference.objects.filter(is_sample=True, owner=None)}
    samples = []
    for path in sorted(SAMPLES.glob("*.jpg")):
        if path.name not in there or not blobs.exists(there[path.name].blob_id):
            with path.open("rb") as file:
                there[path.name] = store(file, None, path.name, is_kept=True, is_sample=True)
        samples.append(there[path.name])
    return samples


def sweep(*, unused_for: timedelta = KEPT_UNUSED) -> int:
    """Remove uploads that nobody went on with and files that nothing uses; returns how many files went."""
    before = timezone.now() - unused_for
    for upload in Upload.objects.filter(created_at__lt=before):
        remove_upload(upload)
    Reference.objects.filter(is_kept=False, is_held=False, is_sample=False, created_at__lt=before).delete()
    with blobs.lock():
        unused = []
        while some := list(Blob.objects.filter(references=None).values_list("pk", flat=True)[:_AT_ONCE]):
            unused += _remove_unused(some)
    _remove_strays(time.time() - unused_for.total_seconds())
    return len(unused)


def _remove_strays(before: float) -> None:
    """Files that a crash left: half-written copies, uploads without a row, and whole files without one."""
    root = Path(settings.MEDIA_ROOT)
    known = set(Upload.objects.values_list("pk", flat=True))
    for path in [*root.glob("??/.*"), *(path for path in root.glob("uploads/*") if path.name not in known)]:
        if _is_older(path, before):
            path.unlink(missing_ok=True)
    for folder in root.glob("[0-9a-f][0-9a-f]"):
        _remove_nameless(folder, before)


def _remove_nameless(folder: Path, before: float) -> None:
    """All bytes of a folder begin with its name, so its rows are looked up at once."""
    old = {path.name[:64] for path in folder.glob("[0-9a-f]*") if _is_older(path, before)}
    if not old:
        return
    with blobs.lock():
        named = Blob.objects.filter(pk__gte=folder.name, pk__lt=folder.name + "g").values_list("pk", flat=True)
        for sha256 in old.difference(named):
            blobs.delete(sha256)


def _is_older(path: Path, before: float) -> bool:
    try:
        return path.stat().st_mtime < before
    except FileNotFoundError:  # it went meanwhile
        return False
