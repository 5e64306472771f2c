"""What every service stands on: settings, logs, life cycle, health, metrics, NATS."""
