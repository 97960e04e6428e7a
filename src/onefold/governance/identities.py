"""Who comes in by a provider: its subjects, each tied to one user."""

from typing import TYPE_CHECKING

from onefold.governance import store
from onefold.governance.sign_in import add_user, begin_visit, set_role, user_named
from onefold.model.errors import NotSignedIn
from onefold.model.records import Asker
from onefold.store import tables

if TYPE_CHECKING:
    from onefold.store import State

BY = Asker(name="sign-on", role="owner")
"""Who adds users and gives roles as a provider says."""


def let_in(state: "State", issuer: str, subject: str, *, name: str, role: str, now: int) -> str:
    """Return the token of a new visit for a subject of a provider, who gets its role anew.

    Args:
        state: Where users stand.
        issuer: The provider.
        subject: Whom it means, for ever.
        name: What a new user is called.
        role: As the provider says today.
        now: When.

    Raises:
        NotSignedIn: The user is shut out, or one of this name came in another way.
        Conflict: The last owner would be one no more.
    """
    known = store.identity(state, issuer, subject)
    if known is None:
        if any(each.name.casefold() == name.strip().casefold() for each in store.users(state)):
            # Whoever may choose a name at the provider must not become somebody here.
            message = f"There is a user `{name}` already who signs in another way."
            raise NotSignedIn(message, "Ask an owner to give that one another way, or you a name.")
        known = add_user(state, name, role, asker=BY, now=now).name
        with state.change(BY, "user.tie", known, detail={"issuer": issuer}) as connection:
            row = {"issuer": issuer, "subject": subject, "user": known}
            connection.execute(tables.identities.insert().values(**row))
    if user_named(state, known).role != role:
        set_role(state, known, role, asker=BY)
    return begin_visit(state, known, by="provider", now=now)
