"""Review: a queue of scenes, decisions with undo, notes."""
