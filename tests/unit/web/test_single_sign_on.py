"""Signing in by OpenID Connect, against a small provider that signs real tokens."""

import base64
import json
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey

from onefold.governance import people, trail
from onefold.model.errors import BadInput, NotFound, NotSignedIn
from onefold.model.records import OWNER
from onefold.model.single_sign_on import Provider
from onefold.runtime.settings import read_settings
from onefold.web.single_sign_on import SingleSignOn, role_of

pytestmark = pytest.mark.long

ISSUER = "https://id.example"
SAID = Provider(ISSUER, "onefold", roles={"admins": "owner", "readers": "viewer"})


class Place:
    """A provider: hands out codes, checks PKCE, signs what it is told to sign."""

    def __init__(self, clock):
        self.clock = clock
        self.key = RSAKey.generate_key(2048, {"kid": "k1"}, auto_kid=False)
        self.codes = {}
        self.claims = {"sub": "s-1", "email": "lena@example.com", "groups": ["readers"]}
        self.header = {"alg": "RS256", "kid": "k1"}
        self.signer = self.key
        self.issuer = ISSUER

    def approve(self, address):
        """Return state and code, as the browser would bring them back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return asked["state"], code

    def answer(self, request):
        if request.url.path.endswith("openid-configuration"):
            names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            return httpx.Response(
                200, json={"issuer": self.issuer} | {n: f"{ISSUER}/{n}" for n in names}
            )
        if request.url.path == "/jwks_uri":
            return httpx.Response(200, json=KeySet([self.key]).as_dict(private=False))
        form = {n: v[0] for n, v in parse_qs(request.content.decode()).items()}
        asked = self.codes.pop(form["code"], None)
        if asked is None:
            return httpx.Response(400, json={"error": "invalid_grant"})
        digest = sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if challenge != asked["code_challenge"] or form["redirect_uri"] != asked["redirect_uri"]:
            return httpx.Response(400, json={"error": "invalid_grant"})
        now = self.clock() // 1_000_000
        base = {"iss": ISSUER, "aud": "onefold", "iat": now, "exp": now + 300}
        claims = base | {"nonce": asked["nonce"]} | self.claims
        claims = {name: value for name, value in claims.items() if value is not None}
        token = jwt.encode(self.header, claims, self.signer, algorithms=[self.header["alg"]])
        return httpx.Response(200, json={"id_token": token})


@pytest.fixture
def place(clock):
    return Place(clock)


@pytest.fixture
def sign_on(place, clock):
    return SingleSignOn(SAID, clock, transport=httpx.MockTransport(place.answer))


@pytest.fixture
def browser(house, visitor, sign_on):
    house.state.workspace.settings.provider = SAID
    house.state.sign_on = sign_on
    return visitor


def test_the_sign_in_page_offers_it(browser):
    assert "/sign-in/provider?next=" in browser.get("/sign-in").text


def come_back(browser, place, path="/sign-in/provider?next=/settings"):
    sent = browser.get(path, follow_redirects=False)
    assert sent.status_code == 303
    state, code = place.approve(sent.headers["location"])
    return browser.get(f"/sign-in/provider/back?state={state}&code={code}", follow_redirects=False)


def test_somebody_comes_in_with_the_role_that_the_claims_give(browser, place, state):
    answer = come_back(browser, place)
    assert answer.headers["location"] == "/settings"
    assert "lena@example.com" in browser.get("/settings").text
    assert people.user_named(state, "lena@example.com").role == "viewer"
    assert [e.action for e in trail(state, most=3)] == ["user.sign_in", "user.tie", "user.add"]


def test_the_role_follows_the_claims_at_every_sign_in(browser, place, state):
    come_back(browser, place)
    place.claims["groups"] = ["readers", "admins"]
    come_back(browser, place)
    assert people.user_named(state, "lena@example.com").role == "owner"
    place.claims["groups"] = "nobody"
    assert come_back(browser, place).status_code == 401


def test_who_takes_the_name_of_somebody_here_does_not_become_that_one(browser, place, state):
    place.claims |= {"email": "INES", "groups": ["admins"]}
    answer = come_back(browser, place)
    assert answer.status_code == 401
    assert "signs in another way" in answer.text
    assert len(people.users(state)) == 2


def test_who_is_shut_out_stays_out(browser, place, state):
    come_back(browser, place)
    people.set_disabled(state, "lena@example.com", disabled=True, asker=OWNER)
    assert come_back(browser, place).status_code == 401


@pytest.mark.parametrize(
    "harm",
    [
        {"iss": "https://evil.example"},
        {"aud": "another"},
        {"aud": ["onefold", "another"]},
        {"azp": "another"},
        {"exp": 1},
        {"exp": None},
        {"sub": None},
        {"iat": None},
        {"nonce": "of another sign-in"},
        {"nonce": None},
        {"email_verified": False},
        {"groups": None},
        {"groups": [{"admins": 1}]},
    ],
)
def test_a_claim_that_is_not_right_lets_nobody_in(browser, place, state, harm):
    place.claims |= harm
    assert come_back(browser, place).status_code == 401
    assert len(people.users(state)) == 2


def test_a_signature_of_another_key_lets_nobody_in(browser, place):
    place.signer = RSAKey.generate_key(2048)
    assert come_back(browser, place).status_code == 401


@pytest.mark.parametrize("harm", ["none", "HS256"])
def test_an_unsigned_token_or_one_signed_with_what_is_public_lets_nobody_in(place, sign_on, harm):
    address, kept = sign_on.begin("/", "https://here/back")
    _, code = place.approve(address)
    if harm == "HS256":
        public = json.dumps(place.key.as_dict(private=False)).encode()
        place.header, place.signer = {"alg": "HS256", "kid": "k1"}, OctKey.import_key(public)
    else:
        parts = [{"alg": "none"}, {"sub": "s-1", "iss": ISSUER, "aud": "onefold", "exp": 9e9}]
        texts = [base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=") for p in parts]
        token = b".".join([*texts, b""]).decode()
        real = place.answer
        sign_on._client = httpx.Client(
            transport=httpx.MockTransport(
                lambda r: (
                    httpx.Response(200, json={"id_token": token})
                    if r.url.path == "/token_endpoint"
                    else real(r)
                )
            )
        )
    with pytest.raises(NotSignedIn):
        sign_on.finish(kept, kept, code)


def test_an_answer_is_used_once_and_only_in_the_browser_that_began(browser, place, sign_on, clock):
    address, kept = sign_on.begin("/", "https://here/back")
    state, code = place.approve(address)
    with pytest.raises(NotSignedIn, match="not begun here"):
        sign_on.finish(state, "", code)
    with pytest.raises(NotSignedIn, match="not begun here"):
        sign_on.finish(state, kept, code)
    address, kept = sign_on.begin("/", "https://here/back")
    state, code = place.approve(address)
    clock.time += 11 * 60 * 1_000_000
    with pytest.raises(NotSignedIn, match="is over"):
        sign_on.finish(state, kept, code)
    forged = browser.get("/sign-in/provider/back?state=x&code=y", follow_redirects=False)
    assert forged.status_code == 401


def test_new_keys_of_the_provider_are_fetched(browser, place):
    assert come_back(browser, place).status_code == 303
    place.key = place.signer = RSAKey.generate_key(2048, {"kid": "k2"})
    place.header = {"alg": "RS256", "kid": "k2"}
    assert come_back(browser, place).status_code == 303


def test_a_way_out_of_the_house_is_not_taken(browser, place):
    answer = come_back(browser, place, "/sign-in/provider?next=https://evil.example")
    assert answer.headers["location"] == "/"


def test_without_a_provider_there_is_no_such_way(visitor):
    assert visitor.get("/sign-in/provider").status_code == 404
    assert "company" not in visitor.get("/sign-in").text


@pytest.mark.parametrize(
    "issuer", ["http://id.example", "ftp://id.example", "https://", "file:///x"]
)
def test_a_provider_is_spoken_to_by_https(clock, issuer):
    with pytest.raises(BadInput, match="https"):
        SingleSignOn(Provider(issuer, "x"), clock)


def test_a_provider_that_calls_itself_otherwise_is_not_believed(place, sign_on):
    place.issuer = "https://other.example"
    with pytest.raises(Exception, match="another issuer"):
        sign_on.begin("/", "https://here/back")


def test_the_widest_role_counts_and_none_is_refused():
    order = ("owner", "viewer")
    assert role_of(SAID, {"groups": ["readers", "admins"]}, order) == "owner"
    with pytest.raises(NotSignedIn, match="gives you a role"):
        role_of(SAID, {}, order)


GOOD = 'name = "x"\n[oidc]\nissuer = "https://id.example"\nclient_id = "onefold"\n'


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (GOOD, "nobody gets a role"),
        (GOOD + '[oidc.roles]\na = "king"\n', "gives 'king'"),
        (GOOD + 'isuer = "x"\n[oidc.roles]\na = "owner"\n', "Did you mean `issuer`"),
        ('[oidc]\nclient_id = "x"\n[oidc.roles]\na = "owner"\n', "says no `issuer`"),
        (GOOD + 'scopes = 3\n[oidc.roles]\na = "owner"\n', "Write a text"),
    ],
)
def test_settings_that_cannot_be_used_say_why(tmp_path, text, word):
    (tmp_path / "onefold.toml").write_text(text)
    with pytest.raises(BadInput) as refused:
        read_settings(tmp_path)
    assert word in refused.value.message + refused.value.fix


def test_settings_name_the_provider(tmp_path):
    (tmp_path / "onefold.toml").write_text(GOOD + '[oidc.roles]\n"admins" = "owner"\n')
    assert read_settings(tmp_path).provider == Provider(
        ISSUER, "onefold", roles={"admins": "owner"}
    )
    with pytest.raises(NotFound):
        read_settings(tmp_path / "none")
