"""What holds every new take back: a disk on which its result would find no room."""

from __future__ import annotations

from x121lib.pipeline.house import House
from x121lib.store.artifacts import free_bytes


def hold_reason(house: House) -> str:
    """Return why no take may start now, in one sentence for a person; empty while all is well.

    Looks at the disks of this machine's artifacts and work folder against the setting `disk_reserve_mb`.
    """
    reserve_bytes = house.settings.disk_reserve_mb * 1_000_000
    for folder in (house.settings.artifacts_dir, house.settings.home):
        free = free_bytes(folder)
        if free < reserve_bytes:
            return (
                f"Held: {folder} has {free / 1e6:.0f} MB free, and new takes need {reserve_bytes / 1e6:.0f} MB. "
                "Free space on that disk; work goes on by itself."
            )
    return ""
