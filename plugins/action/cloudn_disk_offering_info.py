# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs cloudn_disk_offering_info inside Ansible."""

from __future__ import annotations

from ansible_collections.cloudn.compute.plugins.plugin_utils.inside import action_module

ActionModule = action_module("cloudn_disk_offering_info")
