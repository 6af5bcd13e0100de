-- Receipts of takes and images: everything that made them.
SELECT
    r.id AS receipt_id, -- UUID: Key of the receipt.
    r.request_hash::text AS request_hash, -- VARCHAR: SHA-256 over all inputs.
    f.name AS workflow, -- VARCHAR: Name of the workflow.
    v.number AS workflow_version, -- INTEGER: Its version.
    t.name AS tier, -- VARCHAR: Quality tier; empty for images.
    r.seed AS seed, -- UBIGINT: Random seed.
    r.text_prompt AS text_prompt, -- VARCHAR: Prompt given to the model.
    r.negative_prompt AS negative_prompt, -- VARCHAR: Negative prompt given to the model.
    r.worker_id AS worker_id, -- UUID: Worker that made it.
    r.server_version AS server_version, -- VARCHAR: Version of the worker's server.
    r.x121_version AS x121_version, -- VARCHAR: Version of X121.
    r.created_at AS created_at -- TIMESTAMPTZ: When it was recorded.
FROM receipt r
JOIN workflow_version v ON v.id = r.workflow_version_id
JOIN workflow f ON f.id = v.workflow_id
LEFT JOIN tier t ON t.id = r.tier_id
WHERE (
    {project}::uuid IS NULL
    OR EXISTS (
        SELECT FROM take k JOIN segment g ON g.id = k.segment_id JOIN scene s ON s.id = g.scene_id
        WHERE k.receipt_id = r.id AND s.project_id = {project}::uuid
    )
    OR EXISTS (
        SELECT FROM image_version i JOIN image_variant a ON a.id = i.variant_id JOIN character c ON c.id = a.character_id
        WHERE i.receipt_id = r.id AND c.project_id = {project}::uuid
    )
)
ORDER BY r.id
