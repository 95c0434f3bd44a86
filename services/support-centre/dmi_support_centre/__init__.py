"""Layer 4, the support centre: forecasts, scenarios and crowding; and the measures of layer 5."""
