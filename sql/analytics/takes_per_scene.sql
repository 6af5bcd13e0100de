-- Takes that each scene type needed: per scene and variant kind, with the share of segments that were retaken.
SELECT
    s.project,
    s.scene_type,
    s.variant_kind,
    count(DISTINCT s.scene_id) AS n_scenes,
    count(t.take_id) AS n_takes,
    count(t.take_id) FILTER (WHERE t.number > 1) AS n_retakes,
    count(t.take_id) * 1.0::float8 / count(DISTINCT s.scene_id) AS takes_per_scene,
    count(DISTINCT CASE WHEN t.number > 1 THEN t.segment_id END) * 1.0::float8
        / nullif(count(DISTINCT t.segment_id), 0) AS retaken_share
FROM scenes s
LEFT JOIN takes t ON t.scene_id = s.scene_id AND t.status NOT IN ('Planned', 'Cancelled')
GROUP BY s.project, s.scene_type, s.variant_kind
ORDER BY s.project, s.scene_type, s.variant_kind
