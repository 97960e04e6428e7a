"""Sufficient statistics: all that an engine has to send for a mean, a ratio or a change."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True)
class Moments:
    """Count, sums and sums of products of one or more variables over independent units.

    One variable stands for a mean, two for a ratio (numerator, denominator). A change of the
    same units between two periods has two (value now, value before) or four (numerator and
    denominator now, numerator and denominator before).

    Attributes:
        n: How many units (persons).
        sums: The sum of each variable.
        products: The sum of each product of two variables, a full symmetric matrix.
    """

    n: int
    sums: tuple[float, ...]
    products: tuple[tuple[float, ...], ...]

    @classmethod
    def of(cls, *columns: ArrayLike) -> "Moments":
        """Return the moments of columns of equal length, a row a unit.

        >>> Moments.of([1.0, 2.0, 3.0]).products
        ((14.0,),)
        """
        matrix = np.column_stack([np.asarray(column, dtype=float) for column in columns])
        products = matrix.T @ matrix
        return cls(
            n=len(matrix),
            sums=tuple(map(float, matrix.sum(axis=0))),
            products=tuple(tuple(map(float, row)) for row in products),
        )

    @classmethod
    def from_sums(cls, n: int, sums: Sequence[float], upper: Sequence[float]) -> "Moments":
        """Return the moments from an engine's sums.

        Args:
            n: How many units.
            sums: A sum a variable.
            upper: The sums of products (0,0), (0,1), ..., (1,1), ...: the upper triangle by rows.

        >>> Moments.from_sums(3, [6, 3], [14, 6, 3]).products
        ((14.0, 6.0), (6.0, 3.0))
        """
        size = len(sums)
        matrix = np.zeros((size, size))
        pairs = combinations_with_replacement(range(size), 2)
        for (i, j), value in zip(pairs, upper, strict=True):
            matrix[i, j] = matrix[j, i] = value
        return cls(
            n=int(n),
            sums=tuple(map(float, sums)),
            products=tuple(tuple(map(float, row)) for row in matrix),
        )

    def __add__(self, other: "Moments") -> "Moments":
        """Return the moments of both groups of units together."""
        products = np.add(self.products, other.products)
        return Moments(
            n=self.n + other.n,
            sums=tuple(a + b for a, b in zip(self.sums, other.sums, strict=True)),
            products=tuple(tuple(map(float, row)) for row in products),
        )

    def means(self) -> NDArray[np.float64]:
        """Return the mean of each variable."""
        return np.asarray(self.sums, dtype=np.float64) / self.n

    def covariance(self) -> NDArray[np.float64]:
        """Return the sample covariance matrix, with n - 1 below.

        >>> Moments.of([1.0, 2.0, 3.0]).covariance().tolist()
        [[1.0]]
        """
        means = self.means()
        centred = np.asarray(self.products, dtype=np.float64) - self.n * np.outer(means, means)
        covariance = centred / (self.n - 1)
        # Cancellation may leave a variance of zero a hair below it.
        np.fill_diagonal(covariance, np.maximum(np.diag(covariance), 0.0))
        return covariance
