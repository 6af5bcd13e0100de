"""Check that ``tokens.css`` is what ``tokens.json`` makes, and that its colours keep their contrast."""

from __future__ import annotations

import sys

from dashboards.theme import tokens
from dashboards.theme.contrast import check_contrast


def main() -> int:
    """Print what is wrong; return 1 when something is."""
    given = tokens.load_tokens()
    wrong = [str(miss) for miss in check_contrast(given, tokens.flat)]
    if (tokens.HERE / "tokens.css").read_text(encoding="utf-8") != tokens.build_css(given):
        wrong.append("tokens.css is not what tokens.json makes: run python -m dashboards.theme.tokens")
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
