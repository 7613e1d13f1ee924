# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags, as every resource that can have them takes them."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  tags:
    description:
      - Tags as keys and values. Values are kept as text.
      - For the service, keys are one that differ only in case, accents or blanks at the end. A key that is there keeps its spelling.
        Two keys here that are one are an error.
      - Where it is not given, tags are left as they are. An empty dictionary with O(purge_tags=true) removes them all.
    type: dict
  purge_tags:
    description:
      - Whether tags that are not in O(tags) are removed, where O(tags) is given.
    type: bool
    default: true
"""
