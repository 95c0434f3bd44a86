"""OGC SensorThings API 1.1 (18-088), the sensing part: creating, and reading back what was created."""
