"""Delivery: named, verified files in the contractual ZIP."""
