-- Deliveries, one row per ZIP.
SELECT
    d.id AS delivery_id, -- UUID: Key of the delivery.
    d.project_id AS project_id, -- UUID: Project delivered.
    u.name AS status, -- VARCHAR: writing, complete or failed.
    d.profile AS profile, -- VARCHAR: Output profile.
    d.is_partial AS is_partial, -- BOOLEAN: Whether scenes were knowingly left out.
    d.sha256::text AS sha256, -- VARCHAR: SHA-256 of the ZIP.
    d.n_bytes AS n_bytes, -- BIGINT: Size in bytes.
    (SELECT count(*) FROM delivery_item i WHERE i.delivery_id = d.id) AS n_files, -- INTEGER: Files inside.
    d.created_at AS created_at -- TIMESTAMPTZ: When it was begun.
FROM delivery d
JOIN delivery_status u ON u.id = d.status_id
WHERE ({project}::uuid IS NULL OR d.project_id = {project}::uuid)
ORDER BY d.id
