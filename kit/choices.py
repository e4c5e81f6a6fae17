"""The words that settings choose between."""

from enum import StrEnum


class Registration(StrEnum):
    """Who may open an account."""

    OPEN = "open"
    INVITE = "invite"
    CLOSED = "closed"


class RequireFactor(StrEnum):
    """Which accounts must have a second factor."""

    OFF = "off"
    ADMINS = "admins"
    ALL = "all"


class Toggle(StrEnum):
    """A policy that depends on who asks."""

    NEVER = "never"
    SIGNED_IN = "signed_in"
    ALWAYS = "always"


class Executor(StrEnum):
    """How GraphQL is executed; the answers are the same."""

    COMPILED = "compiled"
    RESOLVERS = "resolvers"


class AiProvider(StrEnum):
    """Who describes, sorts and embeds: this process, or an OpenAI-compatible server."""

    LOCAL = "local"
    OPENAI = "openai"


class ImportWorkflow(StrEnum):
    """What agents do with the bookmarks of an import that has ended."""

    FULL_IMPORT = "full_import"
    QUICK_IMPORT = "quick_import"
    NONE = "none"


class BookmarkWorkflow(StrEnum):
    """What agents do with a bookmark that somebody has just made."""

    REPROCESS = "reprocess"
    NONE = "none"


class SmtpSecurity(StrEnum):
    """How the way to the mail server is encrypted."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class LogLevel(StrEnum):
    """The least weight of what is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """How the log is written: text for people, JSON for machines, or whichever fits the place it goes to."""

    AUTO = "auto"
    TEXT = "text"
    JSON = "json"
