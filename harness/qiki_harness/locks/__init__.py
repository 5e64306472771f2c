"""The locks: what they pin, which wheel of each pin a system takes, what a renewal changed.

`pins` takes the standard library alone, the rest `packaging`, which the build lock has.
"""
