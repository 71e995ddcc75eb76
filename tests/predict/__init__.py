"""Tests of kdcore.predict."""
