"""How the stages follow each other: the transition table and the flow that applies it."""
