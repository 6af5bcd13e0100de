-- Verdicts, one row per take and gate.
SELECT
    x.take_id AS take_id, -- UUID: Take judged.
    m.name AS metric, -- VARCHAR: Metric of the gate.
    o.name AS outcome, -- VARCHAR: pass, warn or fail.
    x.value AS value, -- DOUBLE: Value judged, in the metric's unit.
    x.threshold AS threshold, -- DOUBLE: Threshold that decided, in the metric's unit.
    x.reason AS reason -- VARCHAR: Reason in words.
FROM verdict x
JOIN qa_gate q ON q.id = x.gate_id
JOIN metric m ON m.id = q.metric_id
JOIN verdict_outcome o ON o.id = x.outcome_id
JOIN take t ON t.id = x.take_id
JOIN segment g ON g.id = t.segment_id
JOIN scene s ON s.id = g.scene_id
WHERE ({project}::uuid IS NULL OR s.project_id = {project}::uuid)
ORDER BY x.take_id, m.name
