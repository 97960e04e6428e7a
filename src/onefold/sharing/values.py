"""What the vault knows of persons, by the names that audiences and joins go by.

The one place of this room that reads values; what leaves it is hashed before it is written.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onefold.store import Vault

_WORDS = {
    "email": "email",
    "emailaddress": "email",
    "mail": "email",
    "useremail": "email",
    "customeremail": "email",
    "phone": "phone",
    "phonenumber": "phone",
    "mobile": "phone",
    "mobilephone": "phone",
    "mobilenumber": "phone",
    "msisdn": "phone",
    "firstname": "first_name",
    "givenname": "first_name",
    "lastname": "last_name",
    "surname": "last_name",
    "familyname": "last_name",
    "gender": "gender",
    "birthday": "birth_date",
    "birthdate": "birth_date",
    "dateofbirth": "birth_date",
    "dob": "birth_date",
    "city": "city",
    "addresscity": "city",
    "state": "state",
    "addressstate": "state",
    "zip": "zip",
    "zipcode": "zip",
    "postalcode": "zip",
    "addresspostalcode": "zip",
    "country": "country",
    "addresscountry": "country",
    "advertisingid": "device_id",
    "idfa": "device_id",
    "gaid": "device_id",
    "maid": "device_id",
}


def plain_field(name: str) -> str:
    """Return what a field of a person is, by its name; nothing where nobody can tell.

    >>> plain_field("phoneNumber"), plain_field("address.city"), plain_field("plan")
    ('phone', 'city', '')
    """
    return _WORDS.get("".join(letter for letter in name.lower() if letter.isalnum()), "")


def values_of(vault: "Vault", keys: Collection[int]) -> dict[int, dict[str, str]]:
    """Return the values under keys: key -> field -> the latest value.

    A user id stands as `external_id`; an e-mail address or a phone number that is an identifier
    itself stands as such.
    """
    told: dict[int, dict[str, tuple[int, str]]] = defaultdict(dict)
    wanted = sorted(keys)
    for one in vault.fields(wanted):
        field = plain_field(one.field)
        if field:
            latest = (one.event_time, one.value)
            told[one.key][field] = max(told[one.key].get(field, latest), latest)
    for key, name in vault.names(wanted).items():
        field = "external_id" if name.kind == "user_id" else plain_field(name.kind)
        if field:
            told[key].setdefault(field, (0, name.value))
    return {
        key: {field: value for field, (_, value) in found.items()} for key, found in told.items()
    }


def values_of_people(
    vault: "Vault", people: Mapping[int, int]
) -> dict[int, dict[str, frozenset[str]]]:
    """Return the values of persons under any of their identifiers: person -> field -> values.

    Args:
        vault: Where they stand.
        people: Key of an identifier -> person.
    """
    found: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for key, values in values_of(vault, people).items():
        for field, value in values.items():
            found[people[key]][field].add(value)
    return {
        person: {field: frozenset(values) for field, values in fields.items()}
        for person, fields in found.items()
    }
