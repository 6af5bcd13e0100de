-- Takes, one row per attempt at a segment; a number above 1 is a retake.
SELECT
    t.id AS take_id, -- UUID: Key of the take.
    t.segment_id AS segment_id, -- UUID: Segment that it is an attempt at.
    g.scene_id AS scene_id, -- UUID: Scene of the segment.
    t.number AS number, -- INTEGER: 1 is the first, each retake counts on.
    u.name AS status, -- VARCHAR: Planned, Generated, Passed, Failed QA, Failed, Rejected or Cancelled.
    t.seed AS seed, -- UBIGINT: Random seed given to the workflow.
    t.n_frames AS n_frames, -- INTEGER: Frames made; empty before.
    (t.n_frames * r.rate_denominator)::float8 / nullif(r.rate_numerator, 0) AS duration_s, -- DOUBLE: Duration in seconds, from the output's exact frame rate.
    t.receipt_id AS receipt_id, -- UUID: Receipt of what made it.
    t.created_at AS created_at, -- TIMESTAMPTZ: When it was planned.
    t.finished_at AS finished_at -- TIMESTAMPTZ: When its output was recorded.
FROM take t
JOIN segment g ON g.id = t.segment_id
JOIN scene s ON s.id = g.scene_id
JOIN take_status u ON u.id = t.status_id
LEFT JOIN artifact_video r ON r.artifact_id = t.output_artifact_id
WHERE ({project}::uuid IS NULL OR s.project_id = {project}::uuid)
ORDER BY t.id
