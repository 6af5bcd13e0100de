"""Uploading and viewing."""

from __future__ import annotations

import io
import uuid
from typing import Any

import httpx
import pytest
from PIL import Image


def send(comfy: Any, name: str, content: bytes, **form: str) -> httpx.Response:
    """Upload bytes."""
    return comfy.http.post("/upload/image", files={"image": (name, content)}, data=form)


def fresh(suffix: str = ".png") -> str:
    """Return a new file name."""
    return uuid.uuid4().hex + suffix


def test_same_name_and_same_bytes_is_the_same_file(comfy: Any) -> None:
    name = fresh()
    wanted = {"name": name, "subfolder": "", "type": "input"}
    assert send(comfy, name, b"one").json() == wanted
    assert send(comfy, name, b"one").json() == wanted


def test_same_name_and_other_bytes_is_counted(comfy: Any) -> None:
    name = fresh()
    stem = name.removesuffix(".png")
    names = [send(comfy, name, content).json()["name"] for content in (b"one", b"two", b"three", b"two")]
    assert names == [name, f"{stem} (1).png", f"{stem} (2).png", f"{stem} (1).png"]


@pytest.mark.parametrize("word", ["true", "1"])
def test_overwriting_replaces_in_place(comfy: Any, word: str) -> None:
    name = fresh()
    send(comfy, name, b"one")
    assert send(comfy, name, b"two", overwrite=word).json()["name"] == name
    assert comfy.http.get("/view", params={"filename": name, "type": "input"}).content == b"two"


def test_subfolders_and_types(comfy: Any) -> None:
    name = fresh()
    answer = send(comfy, name, b"deep", subfolder="a/b", type="output").json()
    assert answer == {"name": name, "subfolder": "a/b", "type": "output"}
    assert comfy.http.get("/view", params={"filename": name, "subfolder": "a/b"}).content == b"deep"


def test_a_file_in_a_subfolder_can_be_loaded(comfy: Any, picture: Any) -> None:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    name = fresh()
    send(comfy, name, buffer.getvalue(), subfolder="deep")
    loaded = comfy.pixels({"1": {"class_type": "LoadImage", "inputs": {"image": f"deep/{name}"}}}, "1")
    assert (loaded[0] == picture).all()


def test_names_in_other_scripts_survive(comfy: Any) -> None:
    name = "café " + fresh()
    assert send(comfy, name, b"x").json()["name"] == name
    assert comfy.http.get("/view", params={"filename": name, "type": "input"}).content == b"x"


@pytest.mark.parametrize("form", [{"subfolder": "../.."}, {"subfolder": "/etc"}])
def test_uploads_stay_in_their_folder(comfy: Any, form: dict[str, str]) -> None:
    assert send(comfy, fresh(), b"x", **form).status_code == 400


def test_an_upload_name_with_a_path_is_refused(comfy: Any) -> None:
    assert send(comfy, "../../escaped.png", b"x").status_code == 400


def test_an_upload_needs_a_file_and_a_known_type(comfy: Any) -> None:
    assert comfy.http.post("/upload/image", data={"subfolder": ""}).status_code in {400, 500}
    assert send(comfy, fresh(), b"x", type="bogus").status_code == 500


def test_a_body_above_the_limit_is_refused(comfy: Any, engine_only: None) -> None:
    answer = send(comfy, fresh(), bytes(101 * 1024 * 1024))
    assert answer.status_code == 413


def test_ranges_and_heads(comfy: Any) -> None:
    name = fresh(".mp4")
    send(comfy, name, bytes(range(200)), type="output")
    part = comfy.http.get("/view", params={"filename": name}, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, bytes(range(10, 20)))
    assert part.headers["content-range"] == "bytes 10-19/200"
    assert part.headers["content-type"] == "video/mp4"
    head = comfy.http.head("/view", params={"filename": name})
    assert (head.status_code, head.headers["content-length"], head.content) == (200, "200", b"")


@pytest.mark.parametrize(
    "query",
    [
        {"filename": "../../../etc/passwd"},
        {"filename": "/etc/passwd"},
        {"filename": "x.png", "type": "bogus"},
        {"filename": "x.png", "subfolder": "../.."},
        {"filename": "hostname", "subfolder": "/etc"},
    ],
)
def test_views_stay_in_their_folder(comfy: Any, query: dict[str, str]) -> None:
    assert comfy.http.get("/view", params=query).status_code in {400, 403}


def test_an_absent_file_is_404_with_nothing(comfy: Any) -> None:
    answer = comfy.http.get("/view", params={"filename": fresh()})
    assert (answer.status_code, answer.content) == (404, b"")


def test_a_page_is_sent_as_bytes_only(comfy: Any) -> None:
    name = fresh(".html")
    send(comfy, name, b"<script>", type="output")
    answer = comfy.http.get("/view", params={"filename": name})
    assert answer.headers["content-type"] == "application/octet-stream"


def test_previews_and_channels(comfy: Any, picture: Any) -> None:
    query = {"filename": comfy.upload(picture), "type": "input"}
    small = comfy.http.get("/view", params={**query, "preview": "webp;50"})
    assert small.headers["content-type"] == "image/webp"
    assert Image.open(io.BytesIO(small.content)).size == (48, 40)
    alpha = comfy.http.get("/view", params={**query, "channel": "a"})
    assert Image.open(io.BytesIO(alpha.content)).mode == "RGBA"
    plain = comfy.http.get("/view", params={**query, "channel": "rgb"})
    assert Image.open(io.BytesIO(plain.content)).mode == "RGB"
