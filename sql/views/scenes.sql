-- Scenes, one row per deliverable video.
SELECT
    s.id AS scene_id, -- UUID: Key of the scene.
    s.project_id AS project_id, -- UUID: Project.
    p.name AS project, -- VARCHAR: Name of the project.
    s.character_id AS character_id, -- UUID: Character shown.
    c.name AS character_name, -- VARCHAR: Name of the character.
    y.name AS scene_type, -- VARCHAR: Kind of scene, e.g. dance.
    v.number AS scene_type_version, -- INTEGER: Version of the scene type that it was planned with.
    k.name AS variant_kind, -- VARCHAR: Kind of image that it starts from.
    m.name AS transition_mode, -- VARCHAR: How it moves between kinds; normal stays with one.
    t.name AS tier, -- VARCHAR: Quality tier.
    s.index_number AS index_number, -- INTEGER: 1, 2, … where several videos share the content.
    u.name AS status, -- VARCHAR: Pending, Generating, Review, Approved, Rejected or Failed.
    s.failure_reason AS failure_reason, -- VARCHAR: Why it failed; empty otherwise.
    v.target_duration_s::float8 AS target_duration_s, -- DOUBLE: Duration asked for, in seconds.
    s.created_at AS created_at, -- TIMESTAMPTZ: When it was planned.
    s.updated_at AS updated_at -- TIMESTAMPTZ: When its status last changed.
FROM scene s
JOIN project p ON p.id = s.project_id
JOIN character c ON c.id = s.character_id
JOIN scene_type y ON y.id = s.scene_type_id
JOIN scene_type_version v ON v.id = s.scene_type_version_id
JOIN variant_kind k ON k.id = s.variant_kind_id
JOIN transition_mode m ON m.id = s.transition_mode_id
JOIN tier t ON t.id = s.tier_id
JOIN scene_status u ON u.id = s.status_id
WHERE ({project}::uuid IS NULL OR s.project_id = {project}::uuid)
ORDER BY s.id
