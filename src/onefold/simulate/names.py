"""Names of advertisers."""

ADJECTIVES = (
    *("Amber", "Birch", "Cedar", "Copper", "Dune", "Ember", "Fern", "Harbour", "Indigo", "Juniper"),
    *("Linden", "Maple", "North", "Oak", "Pebble", "Quarry", "River", "Saffron", "Tidal", "Willow"),
)
NOUNS = (
    *("Bakery", "Bicycles", "Ceramics", "Cookware", "Gardens", "Glass", "Interiors", "Lamps"),
    *("Looms", "Outdoors", "Paper", "Posters", "Tables", "Tea", "Textiles", "Travel", "Yarn"),
)


def account_name(account: int) -> str:
    """Return the name of an account; no two of the first 340 are the same.

    >>> account_name(0), account_name(341)
    ('Amber Bakery', 'Birch Bicycles 2')
    """
    adjective = ADJECTIVES[account % len(ADJECTIVES)]
    noun = NOUNS[account % len(NOUNS)]
    again = account // (len(ADJECTIVES) * len(NOUNS))
    return f"{adjective} {noun}" + (f" {again + 1}" if again else "")
