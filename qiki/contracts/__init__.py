"""Names, numbers and formats on the wire, as Python values."""
