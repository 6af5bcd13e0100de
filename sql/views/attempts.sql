-- Attempts at GPU tasks, one row per run on a worker.
SELECT
    a.id AS attempt_id, -- UUID: Key of the attempt.
    a.task_id AS task_id, -- UUID: Task tried.
    a.number AS number, -- INTEGER: 1 is the first.
    a.worker_id AS worker_id, -- UUID: Worker that ran it.
    w.name AS worker, -- VARCHAR: Name of the worker.
    o.name AS outcome, -- VARCHAR: complete, failed, lost, cancelled or superseded; empty while running.
    a.dispatched_at AS dispatched_at, -- TIMESTAMPTZ: When it was given to the worker.
    a.started_at AS started_at, -- TIMESTAMPTZ: When the worker began.
    a.finished_at AS finished_at, -- TIMESTAMPTZ: When it ended.
    a.queue_s AS queue_s, -- DOUBLE: Seconds in the worker's own queue.
    a.run_s AS run_s, -- DOUBLE: Seconds of GPU time.
    a.download_s AS download_s, -- DOUBLE: Seconds to fetch the output.
    a.error_code AS error_code, -- VARCHAR: Stable code of the error.
    a.error_message AS error_message -- VARCHAR: What went wrong, in words.
FROM gpu_task_attempt a
JOIN gpu_task t ON t.id = a.task_id
LEFT JOIN attempt_outcome o ON o.id = a.outcome_id
LEFT JOIN worker w ON w.id = a.worker_id
WHERE ({project}::uuid IS NULL OR t.project_id = {project}::uuid)
ORDER BY a.task_id, a.number
