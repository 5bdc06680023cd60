"""Every setting, read once, here. The rest of the Django code reads ``django.conf.settings`` and never the environment.

Each variable may also be given as a file, ``NAME_FILE``. A bad value is refused by name.
"""

from __future__ import annotations

import base64
import contextlib
import ipaddress
import json
import os
import secrets
import socket
from fnmatch import fnmatch
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured


def read_text(name: str, default: str = "") -> str:
    """The variable ``name``, or the contents of the file that ``NAME_FILE`` names, or the default."""
    if path := os.environ.get(f"{name}_FILE"):
        try:
            return Path(path).read_text().strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE: cannot read {path}: {error.strerror}") from None
    return os.environ.get(name, default).strip()


def read_int(name: str, default: int, *, low: int = 0, high: int = 2**31) -> int:
    text = read_text(name, str(default))
    try:
        value = int(text)
    except ValueError:
        raise ImproperlyConfigured(f"{name}={text!r} is not a whole number.") from None
    if not low <= value <= high:
        raise ImproperlyConfigured(f"{name}={value} is out of range: {low} to {high}.")
    return value


def read_bool(name: str, default: bool) -> bool:
    text = read_text(name, "1" if default else "0").lower()
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off", ""}:
        return False
    raise ImproperlyConfigured(f"{name}={text!r} is neither true nor false.")


def read_networks(name: str) -> tuple[str, ...]:
    """Networks or addresses, separated by commas or blanks."""
    parts = read_text(name).replace(",", " ").split()
    try:
        return tuple(str(ipaddress.ip_network(part, strict=False)) for part in parts)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}.") from None


def read_storage(name: str, default: dict[str, object]) -> dict[str, object]:
    """One of Django's storages as JSON: ``{"BACKEND": "…", "OPTIONS": {…}}``."""
    text = read_text(name)
    if not text:
        return default
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict) or "BACKEND" not in value or value.keys() - {"BACKEND", "OPTIONS"}:
        raise ImproperlyConfigured(f'{name} is no storage: give it as {{"BACKEND": "…", "OPTIONS": {{…}}}}, in JSON.')
    return value


def read_database(default: dict[str, object]) -> dict[str, object]:
    """``DATABASE_URL``, ``postgresql://user:password@host:port/name?option=value``, as Django has databases."""
    text = read_text("DATABASE_URL")
    if not text:
        return default
    form = "give it like postgresql://user:password@host/name; without it a SQLite file in the data folder is used."
    try:
        parts = urlsplit(text)
        port, options = parts.port or "", dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    except ValueError as error:
        raise ImproperlyConfigured(f"DATABASE_URL: {error}: {form}") from None
    if parts.scheme not in {"postgresql", "postgres"} or not parts.path.strip("/"):
        raise ImproperlyConfigured(f"DATABASE_URL names no database of a Postgres: {form}")
    if find_spec("psycopg") is None:
        raise ImproperlyConfigured('DATABASE_URL needs the extra `postgres`: pip install -e ".[postgres]".')
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path[1:]),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": port,
        "OPTIONS": options,  # whatever libpq knows: a socket's folder as `host`, `sslmode`, …
    }


def pass_on(*patterns: str) -> dict[str, str]:
    """Those of our variables that match: what a process that is not ours may see of them."""
    return {name: value for name, value in os.environ.items() if any(fnmatch(name, pattern) for pattern in patterns)}


# gRPC's core tells the terminal of each connection that closes; what matters reaches us as errors.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")

BASE_DIR = Path(__file__).resolve().parent.parent

# Where everything that is kept lies: database, keys, media, model environments, logs.
DATA_DIR = Path(read_text("PLAYGROUND_DATA_DIR", str(BASE_DIR / ".playground"))).expanduser().absolute()

HOST = read_text("PLAYGROUND_HOST", "127.0.0.1")
PORT = read_int("PLAYGROUND_PORT", 8000, low=1, high=65535)
GATEWAY_HOST = read_text("PLAYGROUND_GATEWAY_HOST", "127.0.0.1")
GATEWAY_PORT = read_int("PLAYGROUND_GATEWAY_PORT", 8001, low=1, high=65535)
GATEWAY_SOCKET = DATA_DIR / f"gateway-{GATEWAY_PORT}.sock"
DEMO = read_bool("PLAYGROUND_DEMO", True)
FETCH_ALLOW = read_networks("PLAYGROUND_FETCH_ALLOW")
TRUSTED_PROXIES = read_networks("PLAYGROUND_TRUSTED_PROXIES")

# One setting for where people reach us: sub-path, allowed hosts, CSRF and socket origins, cookie paths follow from it.
PUBLIC_URL = read_text("PLAYGROUND_PUBLIC_URL")
_public = urlsplit(PUBLIC_URL)
if PUBLIC_URL and (_public.scheme not in {"http", "https"} or not _public.hostname):
    raise ImproperlyConfigured(f"PLAYGROUND_PUBLIC_URL={PUBLIC_URL!r} is no address: give it like https://host/path.")
_is_https = _public.scheme == "https"
PUBLIC_ORIGIN = f"{_public.scheme}://{_public.netloc}" if PUBLIC_URL else ""
SUB_PATH = _public.path.rstrip("/")


def read_data_file(name: str, make: str) -> str:
    """The text of a small file in the data folder, mode 0600; made with ``make`` where it is not there yet."""
    path = DATA_DIR / name
    try:
        DATA_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass
        else:
            with os.fdopen(descriptor, "w") as file:
                file.write(make)
        return path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"Cannot use the data folder {DATA_DIR}: {error.strerror}. "
            "Choose another with --data-dir or PLAYGROUND_DATA_DIR."
        ) from None


def own_names(host: str) -> list[str]:
    """By which names the web answers: the host it listens on; on a wildcard, this machine's name and address."""
    if host not in {"0.0.0.0", "::"}:
        return [f"[{host}]" if ":" in host else host]
    names = [socket.gethostname()]
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing: only asks which address would be used
        names.append(probe.getsockname()[0])
    return names


# Names of cookies carry it: browsers do not keep apart two servers on different ports of one host.
INSTALLATION_ID = read_data_file("installation", secrets.token_hex(4))
SECRET_KEY = read_data_file("secret_key", secrets.token_urlsafe(48))
# Seals the secrets of deployments; the form is that of Fernet.
SEALING_KEY = read_data_file("sealing_key", base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())

DEBUG = read_bool("PLAYGROUND_DEBUG", False)
_loopback = ["127.0.0.1", "localhost", "[::1]"]
_named = [_public.hostname] if _public.hostname else []
ALLOWED_HOSTS = [*_loopback, *_named, *own_names(HOST)]
CSRF_TRUSTED_ORIGINS = [PUBLIC_ORIGIN] if PUBLIC_ORIGIN else []
FORCE_SCRIPT_NAME = SUB_PATH or None

INSTALLED_APPS = [
    "django.contrib.admin.apps.SimpleAdminConfig",  # what it shows is said in playground/admin.py
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "channels",
    "playground",
    "playground.catalog",
    "playground.media",
    "playground.compute",
    "playground.runs",
    "inputs",
    "playground.play",
]
AUTH_USER_MODEL = "catalog.User"
ROOT_URLCONF = "playground.urls"
ASGI_APPLICATION = "playground.asgi.application"
LOGIN_URL = "signin"
LOGIN_REDIRECT_URL = "play:models"

MIDDLEWARE = [
    "playground.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "playground.middleware.SecurityHeadersMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "playground.middleware.LinkMiddleware",
    "playground.middleware.ErrorMiddleware",
]
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
CSRF_FAILURE_VIEW = "playground.middleware.forbidden"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": ["playground.templatetags.ui"],
        },
    }
]

# SQLite as measured in two processes under load: no "database is locked", p99 about 100 ms.
DATABASES = {
    "default": read_database(
        {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": DATA_DIR / "playground.sqlite3",
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA mmap_size=268435456;",
            },
        }
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

STATIC_URL = f"{SUB_PATH}/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # Stored files, by their hash: a folder of ours, or an object store.
    "media": read_storage("PLAYGROUND_MEDIA_STORAGE", {"BACKEND": "playground.media.storage.FolderStorage"}),
    "staticfiles": {"BACKEND": "playground.doors.static.HashedStorage"},
}
MEDIA_ROOT = DATA_DIR / "media"
LOG_DIR = DATA_DIR / "logs"
ENVIRONMENTS_DIR = DATA_DIR / "environments"
CHECKPOINTS_DIR = DATA_DIR / "checkpoints"
MODELS_DIR = DATA_DIR / "models"
PACKAGE_CACHE_DIR = DATA_DIR / "package-cache"

# What runners and the installer see of our environment: no token, no address of ours.
_plain = ("PATH", "HOME", "USER", "LANG", "LC_*", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "LD_LIBRARY_PATH")
RUNNER_ENVIRONMENT = pass_on(*_plain, "PYTHONHASHSEED", "OMP_*", "CUDA_*", "NVIDIA_*", "HF_HOME", "HF_HUB_OFFLINE")
INSTALLER_ENVIRONMENT = pass_on(
    *_plain, "UV_*", "PIP_*", "*_PROXY", "*_proxy", "NETRC", "CC", "CXX", "CFLAGS", "CMAKE_*"
)

SESSION_COOKIE_NAME = f"playground_session_{INSTALLATION_ID}"
CSRF_COOKIE_NAME = f"playground_csrf_{INSTALLATION_ID}"
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = f"{SUB_PATH}/"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _is_https
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 30

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = False

# Sizes, in bytes. Uploads go in parts, so no request body needs to be larger than one.
UPLOAD_PART_BYTES = 4 * 2**20
MAX_BODY_BYTES = UPLOAD_PART_BYTES + 2**16
MAX_SOCKET_BYTES = 12 * 2**20
MAX_UPLOAD_BYTES = read_int("PLAYGROUND_MAX_UPLOAD_MB", 100, low=1) * 2**20
MAX_IMAGE_BYTES = read_int("PLAYGROUND_MAX_IMAGE_MB", 20, low=1, high=2000) * 2**20
MAX_IMAGE_PIXELS = read_int("PLAYGROUND_MAX_IMAGE_MEGAPIXELS", 85, low=1, high=1000) * 10**6
# What an input other than a picture may have: by default what the official service lets it.
MAX_INPUT_VIDEO_BYTES = read_int("PLAYGROUND_MAX_VIDEO_MB", 100, low=1) * 2**20
MAX_INPUT_AUDIO_BYTES = read_int("PLAYGROUND_MAX_AUDIO_MB", 5, low=1) * 2**20
MAX_INPUT_TEXT_BYTES = read_int("PLAYGROUND_MAX_TEXT_MB", 20, low=1) * 2**20
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES

# For how many days counts of calls are kept: by the minute, by the hour, by the day.
USAGE_MINUTES_DAYS = read_int("PLAYGROUND_USAGE_MINUTES_DAYS", 7, low=1, high=3650)
USAGE_HOURS_DAYS = read_int("PLAYGROUND_USAGE_HOURS_DAYS", 60, low=1, high=3650)
USAGE_DAYS_DAYS = read_int("PLAYGROUND_USAGE_DAYS_DAYS", 400, low=1, high=36500)

# Runs: for how many days they are kept, and how much of one user's; what a single one may take.
RUNS_DAYS = read_int("PLAYGROUND_RUNS_DAYS", 90, low=1, high=36500)
RUNS_BYTES = read_int("PLAYGROUND_RUNS_MB", 2000, low=1) * 2**20
RUN_MAX_SECONDS = 3600
RUN_MAX_TEXT_BYTES = 10 * 2**20
RUN_MAX_MEDIA_BYTES = 512 * 2**20
RUN_INPUT_GRACE_SECONDS = 60
RUN_HEARTBEAT_SECONDS = 5

# Warnings go to the terminal, and a model's progress, plain; each process adds its file in the data folder.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"terminal": {"format": "%(levelname)s: %(message)s"}, "plain": {"format": "%(message)s"}},
    "handlers": {
        "terminal": {"class": "logging.StreamHandler", "level": "WARNING", "formatter": "terminal"},
        "progress": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "plain"},
    },
    "root": {"handlers": ["terminal"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        "django.request": {"level": "ERROR"},  # the log of requests has the others
        "httpx": {"level": "WARNING"},  # it would write every address that inputs are fetched from
        "playground.progress": {"handlers": ["progress"], "level": "INFO"},
    },
}
