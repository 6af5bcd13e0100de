-- Cost of each character: GPU seconds and attempts of its takes and images.
SELECT
    c.name AS character_name,
    p.name AS project,
    count(a.attempt_id) AS n_attempts,
    coalesce(sum(a.run_s), 0) AS gpu_s
FROM characters c
JOIN projects p ON p.project_id = c.project_id
LEFT JOIN (
    SELECT s.character_id, k.task_id
    FROM tasks k JOIN takes t ON t.take_id = k.take_id JOIN scenes s ON s.scene_id = t.scene_id
    UNION ALL
    SELECT v.character_id, k.task_id FROM tasks k JOIN variants v ON v.variant_id = k.variant_id
) made ON made.character_id = c.character_id
LEFT JOIN attempts a ON a.task_id = made.task_id
GROUP BY c.character_id, c.name, p.name
ORDER BY p.name, c.name
