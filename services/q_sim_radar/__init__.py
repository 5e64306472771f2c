"""The radar's voice: takes the frames that the simulator measures and publishes each on its three subjects."""
