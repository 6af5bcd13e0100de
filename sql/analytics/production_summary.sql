-- Each project: characters, scenes by status, takes, retakes, and hours of GPU time.
SELECT
    p.name AS project,
    p.status AS project_status,
    (SELECT count(*) FROM characters c WHERE c.project_id = p.project_id) AS n_characters,
    count(s.scene_id) AS n_scenes,
    count(*) FILTER (WHERE s.status = 'Pending') AS n_pending,
    count(*) FILTER (WHERE s.status = 'Generating') AS n_generating,
    count(*) FILTER (WHERE s.status = 'Review') AS n_in_review,
    count(*) FILTER (WHERE s.status = 'Approved') AS n_approved,
    count(*) FILTER (WHERE s.status = 'Rejected') AS n_rejected,
    count(*) FILTER (WHERE s.status = 'Failed') AS n_failed,
    coalesce(sum(t.n_takes), 0)::bigint AS n_takes,
    coalesce(sum(t.n_retakes), 0)::bigint AS n_retakes,
    (
        SELECT coalesce(sum(a.run_s), 0) / 3600.0
        FROM attempts a JOIN tasks k ON k.task_id = a.task_id
        WHERE k.project_id = p.project_id
    ) AS gpu_hours
FROM projects p
LEFT JOIN scenes s ON s.project_id = p.project_id
LEFT JOIN (
    SELECT scene_id, count(*) AS n_takes, count(*) FILTER (WHERE number > 1) AS n_retakes
    FROM takes WHERE status NOT IN ('Planned', 'Cancelled')
    GROUP BY scene_id
) t ON t.scene_id = s.scene_id
GROUP BY p.project_id, p.name, p.status
ORDER BY p.name
