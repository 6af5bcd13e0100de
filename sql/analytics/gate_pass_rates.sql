-- Each gate of quality: how many takes passed, were borderline or failed, and the share that passed.
SELECT
    s.project,
    v.metric,
    count(*) AS n_takes,
    count(*) FILTER (WHERE v.outcome = 'pass') AS n_passed,
    count(*) FILTER (WHERE v.outcome = 'warn') AS n_borderline,
    count(*) FILTER (WHERE v.outcome = 'fail') AS n_failed,
    count(*) FILTER (WHERE v.outcome = 'pass') * 1.0::float8 / count(*) AS pass_rate
FROM verdicts v
JOIN takes t ON t.take_id = v.take_id
JOIN scenes s ON s.scene_id = t.scene_id
GROUP BY s.project, v.metric
ORDER BY s.project, v.metric
