"""Sessions and transactions, the embedded PostgreSQL, artifact files, audit log and backup."""
