-- Projects, one row each.
SELECT
    p.id AS project_id, -- UUID: Key of the project.
    p.name AS name, -- VARCHAR: Name.
    s.name AS status, -- VARCHAR: Setup, Active, Delivered, Archived or Closed.
    t.name AS default_tier, -- VARCHAR: Quality tier that new scenes take.
    p.created_at AS created_at -- TIMESTAMPTZ: When it was created.
FROM project p
JOIN project_status s ON s.id = p.status_id
JOIN tier t ON t.id = p.default_tier_id
WHERE ({project}::uuid IS NULL OR p.id = {project}::uuid)
ORDER BY p.id
