"""The GPU queue: policy, leases, workers. PostgreSQL holds the truth; whoever runs tasks is replaceable."""
