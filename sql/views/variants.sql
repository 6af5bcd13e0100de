-- Image variants of characters, one row per character and kind.
SELECT
    v.id AS variant_id, -- UUID: Key of the variant.
    v.character_id AS character_id, -- UUID: Character shown.
    c.project_id AS project_id, -- UUID: Project of the character.
    k.name AS variant_kind, -- VARCHAR: Kind of image, e.g. clothed.
    s.name AS status, -- VARCHAR: Pending, Generated, Editing, Approved or Rejected.
    (SELECT count(*) FROM image_version i WHERE i.variant_id = v.id) AS n_versions, -- INTEGER: Versions kept.
    (SELECT i.number FROM image_version i WHERE i.id = v.approved_version_id) AS approved_version -- INTEGER: Number of the approved version; empty when none is.
FROM image_variant v
JOIN character c ON c.id = v.character_id
JOIN variant_kind k ON k.id = v.kind_id
JOIN variant_status s ON s.id = v.status_id
WHERE ({project}::uuid IS NULL OR c.project_id = {project}::uuid)
ORDER BY v.id
