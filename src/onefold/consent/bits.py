"""Strings of consent as bits: base64url text read field by field."""

from onefold.model.errors import BadInput

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_VALUES = {letter: value for value, letter in enumerate(_LETTERS)}
LONGEST = 20_000
"""Characters of a string that are looked at; a full vendor list takes a tenth of it."""
_LARGEST_ID = 65_535
_FIX = "Send the string as the consent platform's own API gives it."


class Bits:
    """The bits of a text, asked from the front.

    Every question raises BadInput where the text ends before the answer does.
    """

    def __init__(self, text: str, what: str) -> None:
        """Read a text in base64url, without padding.

        Raises:
            BadInput: It is empty, too long, or holds other letters.
        """
        self.what = what
        bare = text.rstrip("=")
        if not bare or len(bare) > LONGEST:
            raise BadInput(f"The {what} has {len(bare)} characters.", _FIX)
        try:
            numbers = [_VALUES[letter] for letter in bare]
        except KeyError as error:
            raise BadInput(f"The {what} holds {error.args[0]!r}.", _FIX) from error
        self._text = "".join(f"{number:06b}" for number in numbers)
        self._at = 0

    def integer(self, width: int) -> int:
        """Return a whole number of so many bits."""
        return int(self._take(width), 2)

    def flag(self) -> bool:
        """Return one bit."""
        return self._take(1) == "1"

    def numbers(self, width: int) -> frozenset[int]:
        """Return the places, from 1, of the bits that are set among so many."""
        bits = self._take(width)
        return frozenset(place for place, bit in enumerate(bits, 1) if bit == "1")

    def letters(self, count: int) -> str:
        """Return letters of six bits each, A to Z."""
        return "".join(chr(65 + self.integer(6)) for _ in range(count))

    def fibonacci(self) -> int:
        """Return a number in Fibonacci's code, which ends with two ones (GPP, section encoding)."""
        total, weight, following, former = 0, 1, 2, False
        while True:
            bit = self.flag()
            if bit and former:
                return total
            if bit:
                total += weight
            former = bit
            weight, following = following, weight + following
            if total > _LARGEST_ID:
                raise BadInput(f"The {self.what} names a section over {_LARGEST_ID}.", _FIX)

    def ranges(self) -> frozenset[int]:
        """Return the ids of a list of ranges, 16 bits an id (TCF, RangeSection)."""
        found: set[int] = set()
        for _ in range(self.integer(12)):
            alone = not self.flag()
            first = self.integer(16)
            last = first if alone else self.integer(16)
            if last < first:
                raise BadInput(f"The {self.what} has a range from {first} to {last}.", _FIX)
            found.update(range(first, last + 1))
        return frozenset(found)

    def _take(self, width: int) -> str:
        end = self._at + width
        if end > len(self._text):
            raise BadInput(f"The {self.what} ends early.", _FIX)
        found, self._at = self._text[self._at : end], end
        return found
