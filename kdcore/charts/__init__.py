"""Results to Altair charts: they draw, they never compute."""
