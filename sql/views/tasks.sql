-- GPU tasks, one row each; a task makes one take or one image variant.
SELECT
    t.id AS task_id, -- UUID: Key of the task.
    t.project_id AS project_id, -- UUID: Project that it works for.
    k.name AS kind, -- VARCHAR: take or variant.
    t.take_id AS take_id, -- UUID: Take that it makes; empty for a variant.
    t.image_variant_id AS variant_id, -- UUID: Image variant that it makes; empty for a take.
    u.name AS status, -- VARCHAR: Scheduled, Waiting for worker, Queued, Dispatched, Running, Paused, Cancelled, Failed or Complete.
    c.name AS priority_class, -- VARCHAR: Urgent, Normal or Background.
    t.priority AS priority, -- INTEGER: 0 to 100, higher first.
    t.after_task_id AS after_task_id, -- UUID: Task that it waits for.
    t.attempt_number AS n_attempts, -- INTEGER: Attempts begun.
    t.failed_attempts AS n_failed_attempts, -- INTEGER: Attempts that failed.
    t.queued_at AS queued_at, -- TIMESTAMPTZ: When it was queued.
    t.started_at AS started_at, -- TIMESTAMPTZ: When it last began to run.
    t.finished_at AS finished_at, -- TIMESTAMPTZ: When it ended.
    extract(epoch FROM t.started_at - t.queued_at)::float8 AS waited_s, -- DOUBLE: Seconds from queued to running.
    t.error_code AS error_code -- VARCHAR: Stable code of the last error.
FROM gpu_task t
JOIN task_kind k ON k.id = t.kind_id
JOIN task_status u ON u.id = t.status_id
JOIN priority_class c ON c.id = t.class_id
WHERE ({project}::uuid IS NULL OR t.project_id = {project}::uuid)
ORDER BY t.id
