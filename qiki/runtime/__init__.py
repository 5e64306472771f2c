"""Foundation of every service: settings, logs, life cycle, health, metrics, NATS."""
