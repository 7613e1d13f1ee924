# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options for waiting for jobs of the service."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  wait:
    description:
      - Whether to wait until the service has done what the task asked for.
      - With V(false) the task returns the ids of the jobs that go on in RV(ignore:jobs). It still waits for a job if
        a later step needs it.
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds to wait for everything together. After that the task fails and names the jobs. The jobs go on at the
        service.
    type: int
    default: 600
"""
