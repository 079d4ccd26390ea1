"""Recado on one machine: embedded servers, the demo, and what the test suite stands on."""
