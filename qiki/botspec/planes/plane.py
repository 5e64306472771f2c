"""Base of the planes' parameters, and types of numbers.

The bounds are far beyond any vehicle. They keep all results finite.
"""

from typing import Annotated

from pydantic import Field

from qiki.fields import Number, Spec

LEAST, GREATEST = 1e-6, 1e9
ABSOLUTE_ZERO_C = -273.15

Positive = Annotated[Number, Field(ge=LEAST, le=GREATEST)]
NonNegative = Annotated[Number, Field(ge=0, le=GREATEST)]
Percent = Annotated[Number, Field(ge=0, le=100)]
Share = Annotated[Number, Field(ge=0, le=1)]
Celsius = Annotated[Number, Field(ge=ABSOLUTE_ZERO_C, le=1e6)]


class PlaneParameters(Spec):
    """Parameters of one plane."""
