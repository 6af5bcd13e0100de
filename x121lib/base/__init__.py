"""Settings, clock, ids, logging and the error base. Imports nothing else of X121."""
