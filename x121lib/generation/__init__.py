"""Scene → segments → takes: planning, lossless hand-off, receipts, assembly."""
