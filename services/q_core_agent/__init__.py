"""The Q-Core Agent as a service: carries messages, time and commands between the twin and `qiki.agent`."""
