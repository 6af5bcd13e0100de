"""Huey: carries ids and wakes workers; the queue's truth is in the database."""
