-- Characters, one row each; a performer's legal name never leaves the studio's database.
SELECT
    c.id AS character_id, -- UUID: Key of the character.
    c.project_id AS project_id, -- UUID: Project that it belongs to.
    c.name AS name, -- VARCHAR: Name.
    c.folder_name AS folder_name, -- VARCHAR: Folder in a delivery.
    w.name AS performer, -- VARCHAR: Working name of the performer behind it.
    k.name AS performer_kind, -- VARCHAR: synthetic or real.
    c.created_at AS created_at -- TIMESTAMPTZ: When it was imported.
FROM character c
JOIN performer w ON w.id = c.performer_id
JOIN performer_kind k ON k.id = w.kind_id
WHERE ({project}::uuid IS NULL OR c.project_id = {project}::uuid)
ORDER BY c.id
