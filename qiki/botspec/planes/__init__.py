"""Parameters of each plane; the defaults are those of the bot QIKI."""
