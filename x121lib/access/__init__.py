"""Who may do what, and whose likeness may be used: people, sign-in, performers and their releases."""
