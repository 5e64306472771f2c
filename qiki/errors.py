"""The error tree.

    QikiError
    └── UserError           an error of the user: one line, exit status 2
        ├── SettingsError   an environment variable (qiki.runtime.settings)
        └── FileError       a file that somebody wrote (qiki.textfile)

The rooms add trees of their own below QikiError.
"""


class QikiError(Exception):
    """Root of the errors that this platform raises on purpose."""


class UserError(QikiError):
    """An error that the user can correct. Its text is one line: what, where and what was expected."""
