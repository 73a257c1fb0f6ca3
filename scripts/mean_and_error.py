# SPDX-License-Identifier: MIT
"""What the scripts that measure say of several seeds or questions."""
import math


def mean_and_error(values):
    """Mean and standard error of the mean; the error of a single value is 0."""
    values = list(values)
    mean = sum(values) / len(values)
    return mean, math.sqrt(sum((v - mean) ** 2 for v in values) / max(len(values) - 1, 1) / len(values))


def number(value, signed=False):
    """Three decimals, without the nought before the point."""
    value = round(value, 3) + 0.0  # no minus zero
    text = f"{value:+.3f}" if signed else f"{value:.3f}"
    return text.replace("0.", ".", 1) if abs(value) < 1 else text
