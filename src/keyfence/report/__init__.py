"""Reports: findings as text for people (`terminal`) and as JSON for programs (`json`)."""
