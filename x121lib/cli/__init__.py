"""The command line: thin; each command parses, calls one use case and renders."""
