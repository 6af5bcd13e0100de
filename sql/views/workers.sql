-- GPU workers, one row each, of the whole studio.
SELECT
    w.id AS worker_id, -- UUID: Key of the worker.
    w.name AS name, -- VARCHAR: Name.
    k.name AS kind, -- VARCHAR: comfyui or local_engine.
    u.name AS status, -- VARCHAR: online, degraded, offline, draining, removed, maintenance or asleep.
    w.slots AS slots, -- INTEGER: Takes that it runs at once.
    w.server_version AS server_version, -- VARCHAR: Version that it reports.
    w.device AS device, -- VARCHAR: Device that it reports.
    w.vram_bytes AS vram_bytes, -- BIGINT: Video memory in bytes.
    w.added_at AS added_at, -- TIMESTAMPTZ: When it was added.
    w.last_seen_at AS last_seen_at -- TIMESTAMPTZ: When it last answered.
FROM worker w
JOIN worker_kind k ON k.id = w.kind_id
JOIN worker_status u ON u.id = w.status_id
ORDER BY w.id
