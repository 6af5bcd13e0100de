"""What a studio works with: projects, variant kinds, workflows, scene types, QA profiles."""
