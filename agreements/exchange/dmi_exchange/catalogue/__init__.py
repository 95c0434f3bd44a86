"""The catalogue: supply and demand of data, services, applications and knowledge; found, harvested, measured."""
