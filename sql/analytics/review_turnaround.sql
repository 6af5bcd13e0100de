-- Decisions that hold, by project and outcome: how many, and the mean seconds that cuts waited for them.
SELECT
    s.project,
    d.outcome,
    count(*) AS n_decisions,
    avg(d.waited_s) AS mean_waited_s,
    max(d.waited_s) AS longest_waited_s
FROM decisions d
JOIN scenes s ON s.scene_id = d.scene_id
WHERE d.undone_at IS NULL
GROUP BY s.project, d.outcome
ORDER BY s.project, d.outcome
