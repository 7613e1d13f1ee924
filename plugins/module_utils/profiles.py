# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connection options that other tools (cs, cloudmonkey) have in their files and variables. Knows no Ansible."""

from __future__ import annotations

import typing as t

from . import addresses
from .wrong_values import ProfileError

# The environment variables that stand for an option. They win over a profile.
VARIABLES = {
    "profile": "CLOUDN_PROFILE",
    "api_url": "CLOUDN_API_URL",
    "api_key": "CLOUDN_API_KEY",
    "api_secret": "CLOUDN_API_SECRET",
    "ec2_url": "CLOUDN_EC2_URL",
}
# The variables of cs. They are the last fallback.
_VARIABLES_OF_CS = {"api_url": "CLOUDSTACK_ENDPOINT", "api_key": "CLOUDSTACK_KEY", "api_secret": "CLOUDSTACK_SECRET"}
_KEYS = ("api_key", "api_secret")
Options = t.Dict[str, t.Any]


def complete(given: Options, environment: t.Mapping[str, str]) -> tuple[Options, list[str]]:
    """Return what a profile, or the variables of cs, add to the connection options that are given, and warnings.

    ``given`` are the options as the user wrote them, without defaults. What they or a variable of this collection say wins, so
    it is not among the result. Raises ``ProfileError``.
    """
    own = {name: value for name, value in given.items() if value is not None}
    variables = {name: environment[one] for name, one in VARIABLES.items() if environment.get(one)}
    there = {**variables, **own}
    if there.get("profile"):
        name = str(there["profile"])
        from .profile_files import files, read  # here, as few runs have a profile: each run compiles what it imports

        has_keys = all(key in there for key in _KEYS)
        needed = ["api_url"] * ("api_url" not in there) + [*_KEYS] * (not has_keys)
        found, warnings = read(name, files(environment), needed)
        _check_pair(name, there)
        # Who names a profile and runs on another account would like to know it.
        winners = [
            VARIABLES[option]
            for option in (*_KEYS, "api_url")
            if option not in own and option in variables and found.get(option, variables[option]) != variables[option]
        ]
        if winners:
            warnings.append(
                f"profile: the environment has {', '.join(winners)}, which wins over the profile {name!r}; unset it to use what "
                "the profile says"
            )
    else:
        found, warnings = _from_variables(there, environment), []
    if "ca_path" in there:
        found.pop("validate_certs", None)  # who names authorities wants certificates verified
    return {name: value for name, value in found.items() if name not in there}, warnings


def _check_pair(name: str, there: Options) -> None:
    """Raise ``ProfileError`` for one half of a pair of keys: with the other half of a profile it signs nothing right."""
    halves = [key for key in _KEYS if key in there]
    if len(halves) == 1:
        other = next(key for key in _KEYS if key not in there)
        raise ProfileError(
            f"profile: {halves[0]} is given beside the profile {name!r}, and {other} is not. They belong together: give both "
            f"(as options, or by {VARIABLES['api_key']} and {VARIABLES['api_secret']}), or leave both to the profile"
        )


def _from_variables(there: Options, environment: t.Mapping[str, str]) -> Options:
    """Return the options that the variables of cs have. They are used as a whole: no key may go to a service of another one."""
    found = {name: environment[one] for name, one in _VARIABLES_OF_CS.items() if environment.get(one)}
    if any(key in there for key in _KEYS) or not all(key in found for key in _KEYS):
        return {}
    if "api_url" in there:
        return found
    if "api_url" not in found:
        raise ProfileError(
            "api_url: the keys come from CLOUDSTACK_KEY and CLOUDSTACK_SECRET, and nothing says of which service they are; set "
            "the option, CLOUDN_API_URL or CLOUDSTACK_ENDPOINT"
        )
    problem = addresses.problem("api_url", found["api_url"])
    if problem:
        raise ProfileError(f"{problem}. It comes from CLOUDSTACK_ENDPOINT")
    return found
