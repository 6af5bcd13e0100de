"""The download manager: addresses, placement, transfers that resume, and the queue of downloads."""
