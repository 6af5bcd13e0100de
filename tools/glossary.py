"""Write ``docs/glossary.md`` from the vocabulary in ``x121lib.terms``."""

from __future__ import annotations

import sys
from pathlib import Path

from x121lib.terms.vocabulary import ALL_TERMS, Term

TARGET = Path(__file__).resolve().parents[1] / "docs" / "glossary.md"

WORDS = {
    "artifact": "A stored file, named by the SHA-256 of its content and never changed.",
    "attempt": "One try at a GPU task on one worker; its number is a fencing token, so a late answer is ignored.",
    "character": "Somebody who appears in videos; synthetic, or a real performer.",
    "cut": "A scene's takes joined to one video; each is a version.",
    "delivery": "A ZIP with a project's approved scenes in the agreed structure, and the record of it.",
    "gate": "The bounds of one metric: passed inside, borderline near them, failed outside.",
    "GPU task": "A unit of work for a GPU worker: one take, or one image variant.",
    "hand-off": "The lossless frame that one segment ends with and the next one starts from.",
    "heartbeat": "A sign of life that renews a task's lease.",
    "identity": "A face's likeness as numbers, compared only within one face backend.",
    "image variant": "A character's picture of one kind, e.g. `clothed`; scenes start from its approved version.",
    "lease": "The time for which a GPU task belongs to the consumer that runs it.",
    "likeness release": "A performer's signed permission, with what it covers and until when.",
    "manifest": "The list of what a delivery must hold.",
    "metric": "Something measured on a take, with a unit; its value is a score.",
    "receipt": "Everything that made a take: files, workflow version, prompt, seed, tier, worker.",
    "retake": "A new take after a rejection or a failed gate: new input.",
    "retry": "The same input again after a technical failure.",
    "scene": "One deliverable video: a character × a scene type × an image variant.",
    "scene type": "The recipe of a scene: workflow, durations, size, frame rate, prompts, gates.",
    "segment": "Consecutive frames of a scene, made by one take.",
    "take": "One attempt at a segment; the unit of GPU work; never overwritten.",
    "tier": "How much effort goes into a scene; only tiers marked deliverable are delivered.",
    "verdict": "What a gate says of a score: passed, borderline or failed, with the reason.",
    "version": "A scene's cut as it was sent to review.",
    "worker": "A ComfyUI server, or a local engine, that runs GPU tasks.",
    "workflow": "A ComfyUI graph; its versions never change, its slots are what X121 fills in.",
}


def page() -> str:
    """Return the glossary's text."""
    lines = [
        "# Glossary", "", "Made by `python -m tools.glossary` from `x121lib.terms`; do not edit by hand.", "",
        "## Words", "", *(f"- **{word}**: {meaning}" for word, meaning in sorted(WORDS.items(), key=_key)), "",
        "## Statuses, kinds and roles", "",
        "Each table is a lookup table of the database. *Stored* is the name in it, *shown* the word that people read.",
    ]  # fmt: skip
    for terms in ALL_TERMS:
        lines += [
            "",
            f"### {terms.__name__}",
            "",
            _first_line(terms),
            "",
            "| number | stored | shown |",
            "|---|---|---|",
        ]
        lines += [f"| {term.number} | {term.value} | {term.label} |" for term in terms]
    return "\n".join(lines) + "\n"


def _key(item: tuple[str, str]) -> str:
    return item[0].lower()


def _first_line(terms: type[Term]) -> str:
    return (terms.__doc__ or "").strip().splitlines()[0]


def main() -> int:
    """Write the page; with ``--check`` only say whether it is current."""
    if "--check" in sys.argv[1:]:
        current = TARGET.is_file() and TARGET.read_text(encoding="utf-8") == page()
        if not current:
            print("docs/glossary.md is not what x121lib.terms makes: run python -m tools.glossary")
        return 0 if current else 1
    TARGET.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
