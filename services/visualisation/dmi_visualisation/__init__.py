"""Layer 3: observations and places on a map, in a chart, live; and the browser application."""
