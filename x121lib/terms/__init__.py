"""The words of X121 as values: statuses, roles, names, ranges, scores. Pure, no I/O."""
