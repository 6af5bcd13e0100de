-- Scores, one row per take and metric.
SELECT
    x.take_id AS take_id, -- UUID: Take measured.
    m.name AS metric, -- VARCHAR: Metric.
    m.unit AS unit, -- VARCHAR: Unit of the value.
    d.name AS direction, -- VARCHAR: higher_is_better, lower_is_better or range.
    x.value AS value, -- DOUBLE: Value in the unit.
    x.start_frame AS start_frame, -- INTEGER: First frame measured; empty for the whole take.
    x.stop_frame AS stop_frame -- INTEGER: First frame after what was measured.
FROM score x
JOIN metric m ON m.id = x.metric_id
JOIN metric_direction d ON d.id = m.direction_id
JOIN take t ON t.id = x.take_id
JOIN segment g ON g.id = t.segment_id
JOIN scene s ON s.id = g.scene_id
WHERE ({project}::uuid IS NULL OR s.project_id = {project}::uuid)
ORDER BY x.take_id, m.name
