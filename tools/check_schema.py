"""Check that the models equal the migrated schema, on an embedded database of its own."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from x121lib.base.settings import Settings
from x121lib.store import migrations
from x121lib.store.embedded import EmbeddedServer, remove
from x121lib.store.session import Database


def main() -> int:
    """Print every difference; return 1 when there is one."""
    home = Path(tempfile.mkdtemp(prefix="x121-check-"))
    home.chmod(0o755)  # as root, the server runs as a user of its own and must reach it
    settings = Settings(home=home)
    server = EmbeddedServer(settings)
    database = Database(server.acquire())
    try:
        migrations.upgrade(database)
        found = migrations.differences(database)
    finally:
        database.dispose()
        server.release()
        remove(settings)
        shutil.rmtree(home)
    for difference in found:
        print(difference)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
