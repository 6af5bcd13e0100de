-- Each worker: attempts, failures, GPU seconds and its mean seconds per completed attempt.
SELECT
    w.name AS worker,
    w.status,
    count(a.attempt_id) AS n_attempts,
    count(*) FILTER (WHERE a.outcome IN ('failed', 'lost')) AS n_failed,
    coalesce(sum(a.run_s), 0) AS gpu_s,
    avg(CASE WHEN a.outcome = 'complete' THEN a.run_s END) AS gpu_s_per_complete
FROM workers w
LEFT JOIN attempts a ON a.worker_id = w.worker_id
GROUP BY w.worker_id, w.name, w.status
ORDER BY w.name, w.worker_id
