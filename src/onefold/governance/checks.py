"""Four early checks of a change that uses data: consent, export, cross-border, ad disclosure.

They look at what the catalogue says of the fields and at the registers of sources and
destinations, never at a box that somebody ticked.
"""

from onefold.governance.records import Check, Use

AD_FIELDS = frozenset({"campaign_id", "creative_id", "ad_id", "sponsor", "advertiser_id"})
"""Properties by which an event is one of an advertisement."""
_WITHOUT_ASKING = frozenset({"notice", "contract"})
"""Legal bases under which a source keeps personal data though nobody has said yes."""
_BEYOND = ("personalization", "advertising", "sharing")


def early_checks(use: Use) -> tuple[Check, ...]:
    """Return the four checks of a use, in their order."""
    return (_consent(use), _export(use), _cross_border(use), _ad_disclosure(use))


def _consent(use: Use) -> Check:
    personal = _personal(use)
    beyond = [purpose for purpose in _BEYOND if purpose in use.purposes]
    what = " and ".join(
        part
        for part in (
            f"personal fields ({', '.join(personal)})" if personal else "",
            f"the purpose {', '.join(beyond)}" if beyond else "",
        )
        if part
    )
    if not what:
        return Check("consent", clear=True, why="Nothing personal is used, for analytics alone.")
    named = [f"{one.name} ({one.basis})" for one in use.sources if one.basis in _WITHOUT_ASKING]
    if not named:
        return Check("consent", clear=True, why=f"It uses {what}; every source asks first.")
    why = f"It uses {what}, and {', '.join(named)} keeps data though nobody said yes."
    return Check("consent", clear=False, why=why)


def _export(use: Use) -> Check:
    if not use.destinations:
        return Check("export", clear=True, why="Nothing leaves the workspace.")
    names = ", ".join(one.name for one in use.destinations)
    personal = _personal(use)
    if not personal:
        return Check("export", clear=True, why=f"Nothing personal goes to {names}.")
    why = f"Personal fields ({', '.join(personal)}) go to {names}."
    return Check("export", clear=False, why=why)


def _cross_border(use: Use) -> Check:
    if not use.destinations:
        return Check("cross_border", clear=True, why="Nothing leaves the workspace.")
    home = {one.region for one in use.sources if one.region}
    untold = [one.name for one in use.destinations if not one.region]
    abroad = [f"{one.name} ({one.region})" for one in use.destinations if {one.region} - home]
    if untold:
        why = f"Nobody says in which region {', '.join(untold)} stands."
        return Check("cross_border", clear=False, why=why)
    if abroad:
        where = f"data of {', '.join(sorted(home))}" if home else "data of no told region"
        why = f"{where.capitalize()} go to {', '.join(abroad)}."
        return Check("cross_border", clear=False, why=why)
    return Check("cross_border", clear=True, why="All places are in the regions of the sources.")


def _ad_disclosure(use: Use) -> Check:
    ads = sorted({field.event for field in use.fields if field.name in AD_FIELDS})
    advertises = use.kind == "campaign" or "advertising" in use.purposes
    if not use.shows or not (ads or advertises):
        return Check("ad_disclosure", clear=True, why="It shows nobody an advertisement.")
    of = f" ({', '.join(ads)})" if ads else ""
    why = f"It changes what people see of advertisements{of}: each must be told as one."
    return Check("ad_disclosure", clear=False, why=why)


def _personal(use: Use) -> list[str]:
    return sorted({f"{one.event}.{one.name}" for one in use.fields if one.pii != "none"})
