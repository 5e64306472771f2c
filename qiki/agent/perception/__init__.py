"""From messages to the world that the agent sees: whole frames, alerts that hold, stale inputs."""
