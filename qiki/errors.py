"""The error tree.

QikiError
└── UserError           what its reader can mend: one line, exit status 2
├── SettingsError   an environment variable (qiki.runtime.settings)
└── FileError       a file that somebody wrote (qiki.yamlfile)
"""


class QikiError(Exception):
    """Root of what this platform raises on purpose."""


class UserError(QikiError):
    """Something that the user can mend: its text is one line that says what, where and what was expected."""
