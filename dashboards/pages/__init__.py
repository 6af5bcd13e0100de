"""Pages: which view fills which page, and what one open browser window does."""
