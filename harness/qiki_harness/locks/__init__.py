"""The locks: what they pin, which wheel of each pin a system takes, what a renewal changed.

It takes `packaging` alone beside the standard library, for it runs where nothing but the build lock is installed.
"""
