"""The locks: their pins, the wheel of each pin for a system, the changes of a renewal.

`pins` takes the standard library alone, the rest `packaging`, which the build lock has.
"""
