"""Rules without state: limits, retries, timeouts, cron, what a request may hold."""
