-- Each day (UTC): attempts finished, GPU seconds, and how many attempts did not complete.
SELECT
    CAST(date_trunc('day', a.finished_at AT TIME ZONE 'UTC') AS date) AS finished_on,
    count(*) AS n_attempts,
    count(*) FILTER (WHERE a.outcome = 'complete') AS n_complete,
    count(*) FILTER (WHERE a.outcome <> 'complete') AS n_not_complete,
    coalesce(sum(a.run_s), 0) AS gpu_s
FROM attempts a
WHERE a.finished_at IS NOT NULL
GROUP BY CAST(date_trunc('day', a.finished_at AT TIME ZONE 'UTC') AS date)
ORDER BY finished_on
