"""What a workspace says of the provider by which its people sign in (OpenID Connect)."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Provider:
    """An OpenID provider.

    Attributes:
        issuer: Its address; what it signs must name the very same.
        client_id: What it calls us.
        secret_from: The environment variable that holds our secret; empty: none, PKCE alone.
        name_claim: The claim that names a new user.
        role_claim: The claim whose values say the role.
        roles: Value of that claim -> role; who has none of them does not come in.
        scopes: What is asked for.
    """

    issuer: str
    client_id: str
    secret_from: str = ""
    name_claim: str = "email"
    role_claim: str = "groups"
    roles: dict[str, str] = field(default_factory=dict)
    scopes: str = "openid email profile"
