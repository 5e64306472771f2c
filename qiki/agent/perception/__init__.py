"""From messages to the agent's world: complete frames, alerts that hold, stale inputs."""
