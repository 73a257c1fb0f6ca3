# SPDX-License-Identifier: MIT
"""What the scripts that measure say of several seeds or questions."""
import math


def mean_and_error(values):
    """Mean and standard error of the mean; the error of a single value is 0."""
    values = list(values)
    mean = sum(values) / len(values)
    return mean, math.sqrt(sum((v - mean) ** 2 for v in values) / max(len(values) - 1, 1) / len(values))
