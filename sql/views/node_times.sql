-- Nodes of attempts, one row per node that ran or came from the worker's cache.
SELECT
    n.attempt_id AS attempt_id, -- UUID: Attempt.
    n.node_id AS node, -- VARCHAR: Node in the workflow.
    n.node_class AS node_class, -- VARCHAR: Its class.
    n.seconds AS seconds, -- DOUBLE: Seconds from its start to its end; 0 from the cache.
    n.is_cached AS is_cached -- BOOLEAN: Whether the worker had its result already.
FROM attempt_node_time n
JOIN gpu_task_attempt a ON a.id = n.attempt_id
JOIN gpu_task t ON t.id = a.task_id
WHERE ({project}::uuid IS NULL OR t.project_id = {project}::uuid)
ORDER BY n.attempt_id, n.node_id
