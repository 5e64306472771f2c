"""The vehicle: planes for power, heat, propulsion, docking, communication and sensors, and the hull that joins them."""
