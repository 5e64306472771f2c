"""The radar service: publishes each frame of the simulator on its three subjects."""
