-- Reviewers' decisions, one row each; undone ones stay.
SELECT
    d.id AS decision_id, -- UUID: Key of the decision.
    v.scene_id AS scene_id, -- UUID: Scene decided on.
    v.number AS scene_version, -- INTEGER: Version of the cut that was seen.
    o.name AS outcome, -- VARCHAR: approve, reject or flag.
    w.name AS decided_by, -- VARCHAR: Name of the reviewer; empty for one who was removed.
    d.reason AS reason, -- VARCHAR: Reason given.
    (SELECT string_agg(f.name, ', ' ORDER BY f.sort_order, f.name) FROM decision_tag a JOIN failure_tag f ON f.id = a.failure_tag_id WHERE a.decision_id = d.id) AS tags, -- VARCHAR: Failure tags picked, with commas; empty without any.
    d.frame AS frame, -- INTEGER: Frame that the decision points at.
    v.created_at AS sent_to_review_at, -- TIMESTAMPTZ: When the cut was sent to review.
    d.created_at AS decided_at, -- TIMESTAMPTZ: When it was decided.
    extract(epoch FROM d.created_at - v.created_at)::float8 AS waited_s, -- DOUBLE: Seconds from review to decision.
    d.undone_at AS undone_at -- TIMESTAMPTZ: When it was taken back; empty when it holds.
FROM decision d
JOIN scene_version v ON v.id = d.scene_version_id
JOIN scene s ON s.id = v.scene_id
JOIN decision_outcome o ON o.id = d.outcome_id
LEFT JOIN person w ON w.id = d.person_id
WHERE ({project}::uuid IS NULL OR s.project_id = {project}::uuid)
ORDER BY d.id
