"""Downloads: what an address means, where a file goes, who sees the token, and servers that misbehave."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from x121lib.base.errors import InvalidInputError
from x121lib.comfyui.errors import BadAddressError
from x121lib.models.downloads import addresses, hops, placement, transfer
from x121lib.models.downloads.errors import DownloadError, UnverifiedError
from x121lib.terms.vocabulary import ModelKind
from x121lib.testing.file_site import FileSite, Page

SITES = addresses.Sites("https://huggingface.co", "https://civitai.com")
BODY = bytes(range(256)) * 1200
SHA = hashlib.sha256(BODY).hexdigest()


@pytest.mark.parametrize(
    ("text", "site", "facts"),
    [
        ("hf:o/r/a/b.safetensors@v1", "huggingface", ("o/r", "a/b.safetensors", "v1")),
        ("hf:o/r/b.safetensors", "huggingface", ("o/r", "b.safetensors", "main")),
        ("https://huggingface.co/o/r/blob/refs%2Fpr%2F1/vae/b.pt?download=true", "huggingface",
         ("o/r", "vae/b.pt", "refs/pr/1")),
        ("https://huggingface.co/o/r/resolve/main/x%20y.pt", "huggingface", ("o/r", "x y.pt", "main")),
        ("civitai:12@34", "civitai", (12, 34)),
        ("https://civitai.com/models/12/some-name?modelVersionId=34", "civitai", (12, 34)),
        ("https://civitai.com/models/12", "civitai", (12, None)),
        ("https://civitai.com/api/download/models/34?type=Model&token=abc", "civitai", (None, 34)),
    ],
)  # fmt: skip
def test_what_an_address_means(text: str, site: str, facts: tuple[object, ...]) -> None:
    found = addresses.parse(text, SITES)
    assert found.site == site
    got = (found.repo, found.path, found.revision) if site == "huggingface" else (found.model, found.version)
    assert got == facts
    assert "abc" not in found.given


@pytest.mark.parametrize(
    "text",
    ["", "soft.safetensors", "ftp://a/b", "https://user:pw@host/x.pt", "hf:o/r", "hf:o/r/../x.pt", "hf:o//x.pt",
     "https://huggingface.co/o/r", "https://civitai.com/user/x", "civitai:x", "http://[::1/x", "https://h:99999/x"],
)  # fmt: skip
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(InvalidInputError) as error:
        addresses.parse(text, SITES)
    assert "pw" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "safe"),
    [("../../etc/x.safetensors", "_.._etc_x.safetensors"), ("a\\b:c.pt", "a_b_c.pt"), (".hidden.ckpt", "hidden.ckpt"),
     ("con.pt", "_con.pt"), ("é.pt", "é.pt"), ("a\x00\nb.pt", "ab.pt")],
)  # fmt: skip
def test_names_stay_in_their_folder(name: str, safe: str) -> None:
    assert placement.safe_name(name) == safe
    assert placement.place(ModelKind.LORA, name, "", {}) == f"loras/{safe}"


@pytest.mark.parametrize("name", ["", "..", "x.sh", ".safetensors", "x.safetensors/.."])
def test_names_that_are_no_models(name: str) -> None:
    with pytest.raises(InvalidInputError):
        placement.safe_name(name)


def test_rules_of_placement() -> None:
    rules = {"loras": "loras/{base_model}", "vae": "../vae", "checkpoints": "loras"}
    assert placement.place(ModelKind.LORA, "a.pt", "SDXL 1.0/..", rules) == "loras/SDXL 1.0_/a.pt"
    assert placement.place(ModelKind.LORA, "a.pt", "..", rules) == "loras/unknown/a.pt"
    for kind in (ModelKind.VAE, ModelKind.CHECKPOINT):
        with pytest.raises(InvalidInputError, match="X121_DOWNLOAD_FOLDERS"):
            placement.place(kind, "a.pt", "", rules)
    assert len(placement.safe_name("é" * 400 + ".pt").encode()) <= placement.LONGEST_NAME
    assert placement.kind_of_path("o/r/split_files/VAE/x.pt") is ModelKind.VAE


@pytest.fixture
def site() -> Iterator[FileSite]:
    site = FileSite()
    yield site
    site.stop()


@pytest.fixture
def cdn() -> Iterator[FileSite]:
    site = FileSite()
    yield site
    site.stop()


def fetched(site: FileSite, folder: Path, **wanted: object) -> tuple[str, int]:
    """Fetch ``/f`` with the promised hash and length, unless told otherwise; never waits."""
    plan = transfer.Wanted(f"{site.url}/f", folder / "part", len(BODY), SHA, "", "mine", 0)
    rules = hops.Rules((f"127.0.0.1:{site.port}",), 0.5)
    return transfer.fetch(replace(plan, **wanted), rules, None, lambda *_: True, lambda _: False)  # type: ignore[arg-type]


def ranges(site: FileSite) -> list[str | None]:
    return [headers.get("range") for _, headers in site.asked]


def test_a_connection_that_closes_goes_on_by_range(site: FileSite, tmp_path: Path) -> None:
    site.pages["/f"] = Page(BODY, closes_after=[70_000, 80_000])
    assert fetched(site, tmp_path) == (SHA, len(BODY))
    assert ranges(site) == [None, "bytes=70000-", "bytes=150000-"]
    assert site.asked[1][1]["if-range"].startswith('"')
    assert (tmp_path / "part").read_bytes() == BODY


def test_a_part_of_an_earlier_run_is_gone_on_with(site: FileSite, tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(BODY[:1000])
    site.pages["/f"] = Page(BODY)
    assert fetched(site, tmp_path)[0] == SHA
    (tmp_path / "part").write_bytes(BODY)
    assert fetched(site, tmp_path)[0] == SHA
    assert ranges(site) == ["bytes=1000-"]


def test_without_hash_and_etag_a_part_proves_nothing(site: FileSite, tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(b"other")
    site.pages["/f"] = Page(BODY)
    assert fetched(site, tmp_path, sha256=None)[0] == SHA
    assert ranges(site) == [None]


def test_a_file_that_changed_is_begun_anew(site: FileSite, tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(b"old" * 99)
    site.pages["/f"] = Page(BODY)
    assert fetched(site, tmp_path, sha256=None, etag='"old"')[0] == SHA
    (tmp_path / "part").write_bytes(BODY[:500])
    site.pages["/f"] = Page(BODY, ignores_range=True)
    assert fetched(site, tmp_path)[0] == SHA


def test_416_begins_anew_and_a_whole_part_ends(site: FileSite, tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(BODY[:1000])
    site.pages["/f"] = Page(BODY, refuses_range=1)
    assert fetched(site, tmp_path)[0] == SHA
    (tmp_path / "part").write_bytes(BODY)
    assert fetched(site, tmp_path, n_bytes=None)[0] == SHA
    assert ranges(site)[-1] == f"bytes={len(BODY)}-"


def test_wrong_hash_and_wrong_length_are_not_kept(site: FileSite, tmp_path: Path) -> None:
    site.pages["/f"] = Page(BODY[:-1] + b"x")
    with pytest.raises(UnverifiedError, match="SHA-256"):
        fetched(site, tmp_path)
    assert not (tmp_path / "part").exists()
    site.pages["/f"] = Page(BODY + b"more")
    with pytest.raises(UnverifiedError, match="promised"):
        fetched(site, tmp_path)
    site.pages["/f"] = Page(BODY, headers={"Content-Length": str(len(BODY) + 9)})
    with pytest.raises(UnverifiedError, match="offers"):
        fetched(site, tmp_path)


def test_a_silent_and_a_broken_server_fail_after_some_attempts(site: FileSite, tmp_path: Path) -> None:
    site.pages["/f"] = Page(BODY, status=503)
    with pytest.raises(DownloadError, match="503"):
        fetched(site, tmp_path)
    assert len(site.asked) == transfer.MOST_FAILURES
    site.pages["/f"] = Page(BODY, closes_after=[100] + [0] * 9)
    with pytest.raises(DownloadError, match=r"broke|ended"):
        fetched(site, tmp_path)
    assert (tmp_path / "part").stat().st_size == 100


def test_a_slow_server_is_waited_for_and_can_be_stopped(site: FileSite, tmp_path: Path) -> None:
    site.pages["/f"] = Page(BODY, pause_s=0.05)
    heard: list[int] = []
    plan = transfer.Wanted(f"{site.url}/f", tmp_path / "part", len(BODY), SHA, "", None, 0)
    rules = hops.Rules((f"127.0.0.1:{site.port}",), 0.5)

    def until_100_000(done: int, total: int | None, etag: str) -> bool:
        assert (total, etag.startswith('"')) == (len(BODY), True)
        heard.append(done)
        return done < 100_000

    with pytest.raises(transfer.StoppedError):
        transfer.fetch(plan, rules, None, until_100_000, lambda _: False)
    assert heard[-1] >= 100_000 > len(BODY) / 4
    assert fetched(site, tmp_path)[0] == SHA
    assert ranges(site)[-1] == f"bytes={heard[-1]}-"


def test_no_room_is_said_before_the_file_is_read(site: FileSite, tmp_path: Path) -> None:
    site.pages["/f"] = Page(BODY)
    with pytest.raises(DownloadError, match="no room"):
        fetched(site, tmp_path, reserve_bytes=10**18)
    assert (tmp_path / "part").stat().st_size == 0


def test_a_redirect_to_a_private_address_is_refused(site: FileSite, cdn: FileSite, tmp_path: Path) -> None:
    cdn.pages["/f"] = Page(BODY)
    site.redirect("/f", f"{cdn.url}/f")
    with pytest.raises(BadAddressError, match="not a public address"):
        fetched(site, tmp_path)
    site.redirect("/f", "file:///etc/passwd")
    with pytest.raises(DownloadError, match="no http address"):
        fetched(site, tmp_path)
    site.redirect("/f", "/f")
    with pytest.raises(DownloadError, match="itself"):
        fetched(site, tmp_path)
    assert cdn.asked == []


def test_a_token_stays_with_its_own_host(site: FileSite, cdn: FileSite, tmp_path: Path) -> None:
    site.redirect("/f", f"{cdn.url}/f").token = "s3cret"
    cdn.pages["/f"] = Page(BODY)
    rules = hops.Rules((f"127.0.0.1:{site.port}", f"127.0.0.1:{cdn.port}"), 0.5)
    plan = transfer.Wanted(f"{site.url}/f", tmp_path / "part", len(BODY), SHA, "", "mine", 0)
    with pytest.raises(DownloadError, match="x121 secret set mine"):
        transfer.fetch(plan, rules, None, lambda *_: True, lambda _: False)
    token = hops.Token("s3cret", addresses.origin(site.url))
    transfer.fetch(plan, rules, token, lambda *_: True, lambda _: False)
    assert site.asked[-1][1]["authorization"] == "Bearer s3cret"
    assert [headers.get("authorization") for _, headers in cdn.asked] == [None]
