"""The Q-Core Agent: looks at the twin, lets engines propose, decides, and commands the vehicle."""
