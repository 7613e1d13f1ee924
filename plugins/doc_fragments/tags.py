# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options for tags of every resource that can have tags."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  tags:
    description:
      - Tags as keys and values. Values are kept as text.
      - The service takes two keys for the same key if they differ only in case, accents or blanks at the end. An
        existing key keeps its spelling. It is an error to give the same key twice here.
      - Without this option tags are left as they are. An empty dictionary with O(purge_tags=true) removes all tags.
    type: dict
  purge_tags:
    description:
      - Whether to remove tags that are not in O(tags). It has no effect without O(tags).
    type: bool
    default: true
"""
