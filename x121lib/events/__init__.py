"""Events are rows: written with the change, read from each reader's own position."""
