"""Supervision: contribution, limits and quality of each participant, and what the review found. For inspectors."""
