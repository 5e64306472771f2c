"""What two services or more share: contracts on the wire and the run-time that carries them."""
