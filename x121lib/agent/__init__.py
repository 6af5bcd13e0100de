"""The agent of a GPU host: tells how the host is, and runs the few commands that its owner configured."""
