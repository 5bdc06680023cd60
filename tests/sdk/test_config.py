from __future__ import annotations

from pathlib import Path

import pytest

from playground.sdk import ConfigError, InputError, ModelAddress, parse_reference
from playground.sdk.config import Address, Config, parse_address, read_config


@pytest.mark.parametrize(
    ("text", "target", "is_secure"),
    [
        ("http://127.0.0.1:8001", "127.0.0.1:8001", False),
        ("http://127.0.0.1:8001/", "127.0.0.1:8001", False),
        ("127.0.0.1:8001", "127.0.0.1:8001", False),
        ("localhost", "localhost:8001", False),
        ("HTTP://Box:9", "box:9", False),
        ("http://box", "box:80", False),
        ("https://box", "box:443", True),
        ("https://box:8443/", "box:8443", True),
        ("box:443", "box:443", True),
        ("api.clarifai.com", "api.clarifai.com:443", True),
        ("http://[::1]:8001/", "[::1]:8001", False),
        ("[::1]:8001", "[::1]:8001", False),
        ("::1", "[::1]:8001", False),
        ("unix:/run/gateway", "unix:/run/gateway", False),
    ],
)
def test_an_address_is_read_in_every_form(text: str, target: str, is_secure: bool) -> None:
    assert parse_address(text) == Address(target, is_secure)


@pytest.mark.parametrize(
    "text", ["", "ftp://box", "http://", "http://box:port", "http://box:99999", "box/path", "me@box", "a b"]
)
def test_a_malformed_address_is_refused_by_name(text: str) -> None:
    with pytest.raises(ConfigError, match=r"Give it like http://127\.0\.0\.1:8001"):
        parse_address(text)


def environ(tmp_path: Path, **variables: str) -> dict[str, str]:
    return {"HOME": str(tmp_path), **variables}


def test_argument_then_environment_then_file_then_default(tmp_path: Path) -> None:
    assert read_config(environ=environ(tmp_path)) == Config(Address("127.0.0.1:8001"))
    folder = tmp_path / ".config/playground"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('api_base = "kept:1"\ntoken = "kept"')
    assert read_config(environ=environ(tmp_path)) == Config(Address("kept:1"), "kept")
    said = environ(tmp_path, CLARIFAI_API_BASE="http://old:2/", CLARIFAI_PAT="old")
    assert read_config(environ=said) == Config(Address("old:2"), "old")
    said |= {"PLAYGROUND_API_BASE": "http://ours:3", "PLAYGROUND_PAT": "ours"}
    assert read_config(environ=said) == Config(Address("ours:3"), "ours")
    assert read_config("given:4", "given", environ=said) == Config(Address("given:4"), "given")


def test_the_file_s_token_goes_to_the_file_s_address_alone(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('api_base = "kept:1"\ntoken = "kept"')
    said = environ(tmp_path, PLAYGROUND_CONFIG=str(path))
    assert read_config("http://kept:1", environ=said).token == "kept"
    assert read_config("http://other:1", environ=said).token == ""
    assert read_config("http://kept:1", "", environ=said).token == ""


def test_a_bad_file_or_token_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    for text in ("not toml", "api_base = 3"):
        path.write_text(text)
        with pytest.raises(ConfigError, match=r"own\.toml"):
            read_config(environ=environ(tmp_path, PLAYGROUND_CONFIG=str(path)))
    with pytest.raises(ConfigError, match="Cannot read"):
        read_config(environ=environ(tmp_path, PLAYGROUND_CONFIG=str(tmp_path / "none")))
    with pytest.raises(ConfigError, match="token"):
        read_config("box", "two words", environ=environ(tmp_path))


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("hello", ModelAddress("hello")),
        ("main/hello", ModelAddress("hello", app_id="main")),
        ("owner/main/models/hello", ModelAddress("hello", "owner", "main")),
        ("owner/main/models/hello/versions/v1", ModelAddress("hello", "owner", "main", "v1")),
        ("http://box:8000/sub/owner/main/models/hello?x=1", ModelAddress("hello", "owner", "main")),
        ("https://box/owner/main/models/hello/versions/v1/", ModelAddress("hello", "owner", "main", "v1")),
    ],
)
def test_a_reference_is_read_in_every_form(text: str, address: ModelAddress) -> None:
    assert parse_reference(text) == address


@pytest.mark.parametrize("text", ["", "a/b/c", "http://box/hello", "owner/main/workflows/w"])
def test_what_names_no_model_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="names no model"):
        parse_reference(text)
