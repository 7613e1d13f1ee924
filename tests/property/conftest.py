# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Properties that hold for any options. Examples are the same in every run."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# A fixture's emulator serves all examples of a test, and examples take as long as requests do.
settings.register_profile(
    "cloudn",
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=int(os.environ.get("EXAMPLES", "25")),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("cloudn")
