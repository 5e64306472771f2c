"""The simulator: the one owner of world truth."""
