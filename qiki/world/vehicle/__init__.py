"""The vehicle: its planes (power, heat, propulsion, docking, communication, sensors), its hull and its orders."""
