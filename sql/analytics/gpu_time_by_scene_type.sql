-- GPU time by scene type and tier: attempts, seconds in all, seconds per second of video made.
SELECT
    s.project,
    s.scene_type,
    s.tier,
    count(a.attempt_id) AS n_attempts,
    coalesce(sum(a.run_s), 0) AS gpu_s,
    avg(a.run_s) AS gpu_s_per_attempt,
    sum(a.run_s) / nullif(sum(CASE WHEN a.outcome = 'complete' THEN t.duration_s END), 0) AS gpu_s_per_video_s
FROM attempts a
JOIN tasks k ON k.task_id = a.task_id
JOIN takes t ON t.take_id = k.take_id
JOIN scenes s ON s.scene_id = t.scene_id
GROUP BY s.project, s.scene_type, s.tier
ORDER BY s.project, s.scene_type, s.tier
