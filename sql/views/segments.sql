-- Segments of scenes, in order.
SELECT
    g.id AS segment_id, -- UUID: Key of the segment.
    g.scene_id AS scene_id, -- UUID: Scene that it is part of.
    g.sequence_index AS sequence_index, -- INTEGER: Position in the scene.
    g.planned_frames AS planned_frames, -- INTEGER: Frames planned.
    u.name AS status, -- VARCHAR: Pending, Generating, QA Pass, QA Fail, Approved or Rejected.
    g.chosen_take_id AS chosen_take_id -- UUID: Take that is in the cut; empty before there is one.
FROM segment g
JOIN scene s ON s.id = g.scene_id
JOIN segment_status u ON u.id = g.status_id
WHERE ({project}::uuid IS NULL OR s.project_id = {project}::uuid)
ORDER BY g.scene_id, g.sequence_index
