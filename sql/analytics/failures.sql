-- Technical failures by error code: how often, on how many tasks, and when last.
SELECT
    a.error_code,
    count(*) AS n_attempts,
    count(DISTINCT a.task_id) AS n_tasks,
    max(a.finished_at) AS last_at
FROM attempts a
WHERE a.error_code IS NOT NULL
GROUP BY a.error_code
ORDER BY n_attempts DESC, a.error_code
