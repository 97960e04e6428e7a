"""What governance hands out: users, visits, keys, policies."""

from dataclasses import dataclass

from onefold.model.records import Asker


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may sign in; never the hash of a password."""

    name: str
    role: str
    has_password: bool
    disabled: bool
    created_time: int


@dataclass(frozen=True, slots=True)
class Visit:
    """A browser that is signed in: whose it is, and the token its forms must carry."""

    asker: Asker
    csrf: str
    expires_time: int


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of a program; `hint` is its last four characters."""

    name: str
    hint: str
    scopes: tuple[str, ...]
    created_time: int
    expires_time: int | None = None
    last_used_time: int | None = None
    revoked_time: int | None = None

    def standing(self, now: int) -> str:
        """Return how it stands: in force, revoked, or expired."""
        if self.revoked_time is not None:
            return "revoked"
        expired = self.expires_time is not None and self.expires_time <= now
        return "expired" if expired else "in force"


@dataclass(frozen=True, slots=True)
class Rows:
    """Which rows a policy shows: those that every kind of term lets through.

    Attributes:
        accounts: Ids of accounts; empty: of any.
        owners: Who owns the account, as imported, in small letters; empty: anybody.
        regions: Countries of the account, in small letters; empty: anywhere.
        campaigns: Ids of campaigns; empty: of any.
    """

    accounts: frozenset[str] = frozenset()
    owners: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    campaigns: frozenset[str] = frozenset()

    @property
    def names_accounts(self) -> bool:
        """Whether it says anything about accounts."""
        return bool(self.accounts or self.owners or self.regions)


@dataclass(frozen=True, slots=True)
class Sight:
    """What of the workspace somebody may see, as all policies together say.

    Attributes:
        rows: A row is shown that one of these shows; without any, every row is.
        classes: Classes of personal fields that may be read in clear; None: all that the role
            lets be read.
    """

    rows: tuple[Rows, ...] = ()
    classes: frozenset[str] | None = None

    @property
    def whole(self) -> bool:
        """Whether every row is shown."""
        return not self.rows


WHOLE = Sight()
"""Without a policy: every row, and what the role lets be read."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What some may see, as it is kept.

    Attributes:
        name: Of the policy.
        who: `user:NAME`, `role:ROLE`, `team:NAME` or `key:NAME`, each of whom it binds.
        accounts: Ids of accounts whose rows are shown.
        owners: Owners of accounts; `@me` is who asks, `@team` everybody of the asker's teams.
        regions: Countries of accounts.
        campaigns: Ids of campaigns.
        classes: Classes of personal fields that may be read in clear; None says nothing of it.
        note: Why.
    """

    name: str
    who: tuple[str, ...]
    accounts: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    campaigns: tuple[str, ...] = ()
    classes: tuple[str, ...] | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Team:
    """People who work on the same accounts."""

    name: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FieldUse:
    """A field that a change uses: of which event, of which class of personal data (or `none`)."""

    event: str
    name: str
    pii: str = "none"


@dataclass(frozen=True, slots=True)
class Place:
    """A source or a destination: its legal basis (of a source) and its region, where told."""

    name: str
    region: str = ""
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Use:
    """What a change would do with data, as the catalogue and the registers say.

    Attributes:
        kind: Kind of change (`approving.KINDS`).
        fields: Every field it uses.
        purposes: For what it uses them.
        sources: Where the data come from.
        destinations: Where they go; empty: they stay.
        shows: It changes what people see.
    """

    kind: str
    fields: tuple[FieldUse, ...] = ()
    purposes: tuple[str, ...] = ("analytics",)
    sources: tuple[Place, ...] = ()
    destinations: tuple[Place, ...] = ()
    shows: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """One of the four early checks.

    Attributes:
        name: `consent`, `export`, `cross_border` or `ad_disclosure`.
        clear: Nothing was found.
        why: What was found, or why nothing was.
    """

    name: str
    clear: bool
    why: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change that somebody wants to make.

    Attributes:
        kind: Its kind.
        subject: What is changed.
        digest: Of its whole content: what is signed is what is done.
        detail: What a reader has to know, a line each.
        use: What it does with data.
        owner: Who answers for what is changed, a user or a team: may sign for it besides.
    """

    kind: str
    subject: str
    digest: str
    detail: tuple[str, ...]
    use: Use
    owner: str = ""


@dataclass(frozen=True, slots=True)
class SignOff:
    """What somebody said of a draft: `sign`, `refuse` or `comment`, for which function."""

    function: str
    verdict: str
    comment: str
    by: str
    time: int


@dataclass(frozen=True, slots=True)
class Draft:
    """A change that waits, or waited, to be signed.

    Attributes:
        needs: The functions that have to sign.
        standing: One of `approving.STANDINGS`.
        said: Everything that was said of it, in order.
        owner: Who answers for what is changed, a user or a team: may sign for it besides.
    """

    id: int
    kind: str
    subject: str
    digest: str
    detail: tuple[str, ...]
    checks: tuple[Check, ...]
    needs: tuple[str, ...]
    asked_by: str
    asked_time: int
    standing: str
    said: tuple[SignOff, ...] = ()
    owner: str = ""

    @property
    def signed(self) -> frozenset[str]:
        """The functions that have signed."""
        return frozenset(one.function for one in self.said if one.verdict == "sign")

    @property
    def open(self) -> tuple[str, ...]:
        """The functions that have still to sign."""
        return tuple(name for name in self.needs if name not in self.signed)


@dataclass(frozen=True, slots=True)
class Rule:
    """Who has to sign a kind of change, and whether somebody else than who asked must."""

    kind: str
    needs: tuple[str, ...]
    four_eyes: bool = False
