"""The one exception tree: what yihu raises by itself says what happened and what to do next.

Belongs here: the base, the kinds, the exit statuses, and the tree as `make docs` draws it, with
kind and exit status. Not here: the exceptions themselves (each stands with what raises it), how a
command prints one (`pipelines.command_line.exits`), how Dagster records one
(`resources.runtime.failures`).

    YihuError                 permanent      1
      AlertNotSent            transient      1
      BackupError             permanent      1
      BrokenChain             permanent      1
      ConfigurationError      configuration  2
        CatalogueError        configuration  2
        ConditionError        configuration  2
        ContractError         configuration  2
        FormError             configuration  2
        HeadError             configuration  2
        MatchingError         configuration  2
        NoJavaError           configuration  2
        PasswordFileError     configuration  2
        PatternError          configuration  2
        ReplayError           configuration  2
        RuleError             configuration  2
        SettingsError         configuration  2
        UnknownBoundary       configuration  2
        _WrongError           configuration  2
      CopyError               permanent      1
      DefectError             defect         1
        ConservationError     defect         1
        DialectError          defect         1
        ModelError            defect         1
        UnknownTable          defect         1
      EngineError             permanent      1
      Fault                   permanent      1
      FolderOutOfDate         transient      1
      GivenUp                 permanent      1
      LandingError            permanent      1
      Late                    permanent      1
      LayoutError             permanent      1
      LostStateError          permanent      1
      MigrationError          permanent      1
      MissingInput            permanent      1
      MoveError               permanent      1
      NeverRead               permanent      1
      NoFolder                permanent      1
      NotInLake               permanent      1
      OtherBase               permanent      1
      PublicationError        permanent      1
        AuditFailed           defect         1
          GateClosed          gate           1
        LockTimeout           transient      1
        OtherContent          permanent      1
        PublisherBusy         transient      1
      RunLocked               transient      3
      ServerError             permanent      1
      ServiceError            permanent      1
      SourceError             permanent      1
      Unreadable              permanent      1
      UsageError              usage          1
        AccessError           usage          1
        DifferenceError       usage          1
        DraftError            usage          1
        ExtractError          usage          1
        GateError             usage          1
        InputFileError        usage          1
        Refused               usage          1
        Refused               usage          1
        TooManyCells          usage          1
        TryingError           usage          1
"""

from __future__ import annotations

from typing import Literal

Kind = Literal["usage", "configuration", "transient", "permanent", "gate", "defect"]
KINDS: dict[Kind, str] = {
    "usage": "something was typed that does not fit: type it otherwise",
    "configuration": "a setting, contract, rule file or head of a model is wrong: mend it first",
    "transient": "it may pass by itself: wait, then run again (a run that may be tried again is)",
    "permanent": "somebody has to mend something outside: a department, a server, a disk, the lake",
    "gate": "a gate holds it back until a named person has looked and opens it",
    "defect": "a fault of yihu itself: keep the data as they are, and report it",
}
"""What an error asks of whom."""

OK, FAILED, BAD_SETTINGS, LOCKED = 0, 1, 2, 3
EXIT_STATUSES: dict[int, str] = {
    OK: "it is done, and all is well",
    FAILED: "it failed, or something needs doing; a line says what",
    BAD_SETTINGS: "a setting, contract, rule file or argument is wrong; nothing was begun",
    LOCKED: "another run is going on; nothing was begun",
}
"""How a command may end."""


class YihuError(Exception):
    """What happened, and what to do next; neither holds a value of a row.

    `str()` is both in one line. A message that ends with a colon, a comma or a full stop leads into
    the next step by it, any other by a semicolon. `kind` says who has to do something,
    `exit_status` how a command ends by it: a class has both, so that nobody reads them out of
    words.
    """

    kind: Kind = "permanent"
    exit_status: int = FAILED
    next_step: str = ""
    """What to do where whoever raises it says nothing better."""

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(message, next_step)
        self.message = message
        if next_step:
            self.next_step = next_step

    def __str__(self) -> str:
        if not self.next_step:
            return self.message
        if "\n" in self.message:
            return f"{self.message}\n{self.next_step}"
        lead = " " if self.message.endswith((":", ",", ".")) else "; "
        return f"{self.message}{lead}{self.next_step}"

    @property
    def lines(self) -> list[str]:
        """What a command prints: message and next step, then what was noted (`add_note`)."""
        return [*str(self).splitlines(), *getattr(self, "__notes__", ())]


class UsageError(YihuError):
    """A command was called with something that does not fit; says what to write."""

    kind = "usage"


class ConfigurationError(YihuError):
    """What people write into files or the environment does not fit; names the place."""

    kind = "configuration"
    exit_status = BAD_SETTINGS


class DefectError(YihuError):
    """What cannot be unless yihu itself is wrong."""

    kind = "defect"
