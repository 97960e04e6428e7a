"""Names of places and their codes, as ad platforms want the code: US states, countries."""

_US = """
    alabama al alaska ak arizona az arkansas ar california ca colorado co connecticut ct
    delaware de districtofcolumbia dc florida fl georgia ga hawaii hi idaho id illinois il
    indiana in iowa ia kansas ks kentucky ky louisiana la maine me maryland md massachusetts ma
    michigan mi minnesota mn mississippi ms missouri mo montana mt nebraska ne nevada nv
    newhampshire nh newjersey nj newmexico nm newyork ny northcarolina nc northdakota nd ohio oh
    oklahoma ok oregon or pennsylvania pa puertorico pr rhodeisland ri southcarolina sc
    southdakota sd tennessee tn texas tx utah ut vermont vt virginia va washington wa
    westvirginia wv wisconsin wi wyoming wy
"""

_WORLD = """
    afghanistan af albania al algeria dz andorra ad angola ao argentina ar armenia am australia
    au austria at azerbaijan az bahamas bs bahrain bh bangladesh bd barbados bb belarus by
    belgium be belize bz benin bj bhutan bt bolivia bo bosniaandherzegovina ba botswana bw
    brazil br brunei bn bulgaria bg burkinafaso bf burundi bi cambodia kh cameroon cm canada ca
    capeverde cv chad td chile cl china cn colombia co congo cg costarica cr croatia hr cuba cu
    cyprus cy czechia cz czechrepublic cz denmark dk djibouti dj dominicanrepublic do ecuador ec
    egypt eg elsalvador sv estonia ee eswatini sz ethiopia et fiji fj finland fi france fr gabon
    ga gambia gm georgia ge germany de deutschland de ghana gh greece gr guatemala gt guinea gn
    guyana gy haiti ht honduras hn hongkong hk hungary hu iceland is india in indonesia id iran
    ir iraq iq ireland ie israel il italy it ivorycoast ci jamaica jm japan jp jordan jo
    kazakhstan kz kenya ke kosovo xk kuwait kw kyrgyzstan kg laos la latvia lv lebanon lb
    liberia lr libya ly liechtenstein li lithuania lt luxembourg lu madagascar mg malawi mw
    malaysia my maldives mv mali ml malta mt mauritania mr mauritius mu mexico mx moldova md
    monaco mc mongolia mn montenegro me morocco ma mozambique mz myanmar mm namibia na nepal np
    netherlands nl newzealand nz nicaragua ni niger ne nigeria ng northmacedonia mk norway no
    oman om pakistan pk panama pa paraguay py peru pe philippines ph poland pl portugal pt
    puertorico pr qatar qa romania ro russia ru rwanda rw sanmarino sm saudiarabia sa senegal sn
    serbia rs seychelles sc sierraleone sl singapore sg slovakia sk slovenia si somalia so
    southafrica za southkorea kr spain es srilanka lk sudan sd suriname sr sweden se switzerland
    ch syria sy taiwan tw tajikistan tj tanzania tz thailand th togo tg trinidadandtobago tt
    tunisia tn turkey tr turkmenistan tm uganda ug ukraine ua unitedarabemirates ae
    unitedkingdom gb greatbritain gb uk gb england gb unitedstates us unitedstatesofamerica us
    usa us uruguay uy uzbekistan uz venezuela ve vietnam vn yemen ye zambia zm zimbabwe zw
"""


def _pairs(text: str) -> dict[str, str]:
    words = text.split()
    return dict(zip(words[::2], words[1::2], strict=True))


STATES = _pairs(_US)
"""A state of the United States, small and without spaces -> its two letters."""
COUNTRIES = _pairs(_WORLD)
"""A country by its English name, small and without spaces -> its ISO 3166-1 letters, small."""
