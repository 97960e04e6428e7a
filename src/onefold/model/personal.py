"""Classes of personal fields, and of which one a field or an identifier is by its name."""

CLASSES = (
    "name",
    "email",
    "phone",
    "address",
    "birth",
    "government",
    "payment",
    "network",
    "identifier",
    "other",
)
"""What a policy may let be read in clear, a word each."""

_WORDS = (
    # The first that is found in a name decides, so what says more stands first.
    ("network", ("ipaddress", "ipv4", "ipv6", "useragent", "macaddress")),
    ("email", ("email", "mail")),
    ("phone", ("phone", "mobile", "msisdn", "telephone", "cellnumber", "fax")),
    ("birth", ("birth", "dob")),
    ("government", ("ssn", "socialsecurity", "passport", "taxid", "nationalid")),
    ("payment", ("iban", "creditcard", "debitcard", "paymentcard", "cardn", "ccnum", "bankacc")),
    ("address", ("address", "street", "postcode", "zipcode", "city")),
    ("name", ("name", "surname")),
)
_EXACT = {
    "ip": "network",
    "tel": "phone",
    "cell": "phone",
    "user_id": "identifier",
    "anonymous_id": "identifier",
    "device": "identifier",
    "crm_id": "identifier",
}


def class_of(field: str) -> str:
    """Return the class of a personal field by its name; `other` where the name says nothing.

    >>> class_of("E-Mail"), class_of("traits.firstName"), class_of("user_id"), class_of("hobby")
    ('email', 'name', 'identifier', 'other')
    """
    if field in _EXACT:
        return _EXACT[field]
    plain = "".join(letter for letter in field.lower() if letter.isalnum())
    for found, words in _WORDS:
        if any(word in plain for word in words):
            return found
    return _EXACT.get(plain, "other")
