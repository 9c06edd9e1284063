"""Run one scenario on the reference server and on ours, and compare what a client can see."""
