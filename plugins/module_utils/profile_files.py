# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the files in which other tools (cs, cloudmonkey) keep the addresses and keys of accounts. Knows no Ansible."""

from __future__ import annotations

import configparser
import os
import stat
import typing as t

from . import addresses
from .wrong_values import ProfileError, did_you_mean

_TRUTH = {
    **dict.fromkeys(("y", "yes", "t", "true", "on", "1"), True),
    **dict.fromkeys(("n", "no", "f", "false", "off", "0"), False),
}
_QUOTES = "`\"'"


Options = t.Dict[str, t.Any]


class _Tool(t.NamedTuple):
    """How a tool writes its file: its words for options, how Python reads the file, and the section that is no profile."""

    words: dict[str, str]
    dialect: dict[str, t.Any]
    own_section: str = ""


_CS = _Tool({"api_url": "endpoint", "api_key": "key", "api_secret": "secret", "ca_path": "verify"}, {})
_CLOUDMONKEY = _Tool(
    {"api_url": "url", "api_key": "apikey", "api_secret": "secretkey"},
    {"interpolation": None, "strict": False, "inline_comment_prefixes": ("#", ";")},
    "core",
)


def files(environment: t.Mapping[str, str]) -> list[tuple[str, _Tool]]:
    """Return the files that may hold a profile. The first one that has it counts."""
    named = environment.get("CLOUDSTACK_CONFIG")
    return [
        *([(os.path.expanduser(named), _CS)] if named else []),
        (os.path.join(os.curdir, "cloudstack.ini"), _CS),
        (os.path.expanduser("~/.cloudstack.ini"), _CS),
        (os.path.expanduser("~/.cmk/config"), _CLOUDMONKEY),
    ]


def read(name: str, files: list[tuple[str, _Tool]], needed: list[str]) -> tuple[Options, list[str]]:
    """Return the options that a profile has, and warnings. It is taken from one file as a whole. Raises ``ProfileError``.

    ``needed`` are the options that nothing else gives.
    """
    seen: dict[str, list[str]] = {}
    for path, tool in files:
        text, mode = _text_of(path)
        if text is None:
            continue
        parser = _parsed(path, text, tool)
        seen[path] = [one for one in parser.sections() if one != tool.own_section]
        if name in seen[path]:
            return _Section(parser, name, path, tool).options(needed), _warnings(path, mode)
    if not seen:
        raise ProfileError(
            f"profile: {name!r} can't be looked up: there is none of the files {', '.join(path for path, _tool in files)}. "
            f"Write one with a section [{name}] and in it endpoint, key and secret, or leave the profile out"
        )
    known = [one for sections in seen.values() for one in sections]
    hint = did_you_mean(name, known) or (f". There are: {', '.join(known)}" if known else "")
    raise ProfileError(f"profile: there is no section [{name}] in {' or '.join(seen)}{hint}")


def _text_of(path: str) -> tuple[str | None, int]:
    """Return what is in a file, ``None`` if there is no such file, and its mode."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            return file.read(), os.fstat(file.fileno()).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None, 0
    except OSError as error:
        raise ProfileError(f"profile: {path} can't be read: {error.strerror}") from None
    except UnicodeError:
        raise ProfileError(f"profile: {path} is no text in UTF-8; convert it") from None


def _parsed(path: str, text: str, tool: _Tool) -> configparser.ConfigParser:
    """Return the sections of a file. An error shows no line of it: it may hold a secret."""
    parser = configparser.ConfigParser(**tool.dialect)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        places = getattr(error, "errors", None)
        line = places[0][0] if places else getattr(error, "lineno", None)
        raise ProfileError(
            f"profile: line {line} of {path} is wrong (not shown, as it may hold a secret). The file has sections [NAME] with "
            "lines such as key = value, each of them once"
        ) from None
    return parser


def _warnings(path: str, mode: int) -> list[str]:
    """Return a warning for a file that is not only its owner's."""
    others = mode & (stat.S_IRGRP | stat.S_IROTH | stat.S_IWGRP | stat.S_IWOTH)
    if not others:
        return []
    how = "read" if others & (stat.S_IRGRP | stat.S_IROTH) else "change"
    return [
        f"profile: others can {how} {path}, which holds secret keys (mode {stat.S_IMODE(mode):04o}); run chmod 600 {path}"
    ]


class _Section:
    """One section of a file."""

    def __init__(self, parser: configparser.ConfigParser, name: str, path: str, tool: _Tool) -> None:
        self._parser = parser
        self._name = name
        self._tool = tool
        self._where = f"the section [{name}] of {path}"

    def options(self, needed: list[str]) -> Options:
        """Return the options that the section has. Raises ``ProfileError`` if it lacks one that is needed, or one is wrong."""
        found: Options = {option: self._value(word) for option, word in self._tool.words.items()}
        lacking = [self._tool.words[option] for option in needed if not found[option]]
        if lacking:
            raise ProfileError(
                f"profile: {self._where} has no {' and no '.join(lacking)}. Add it there, or give "
                f"{', '.join(option for option in needed if not found[option])} as an option"
            )
        problem = addresses.problem("api_url", found["api_url"]) if found["api_url"] else None
        if problem:
            raise ProfileError(f"{problem}. It comes from {self._tool.words['api_url']} in {self._where}")
        if self._tool is _CS:
            found["api_timeout"] = self._number("timeout", float)
            expiration = self._number("expiration", int)
            found["signature_expires"] = None if expiration is None else max(expiration, 0)  # cs: negative means none
            # As in cs, a file of authorities wins.
            is_off = not found["ca_path"] and self._truth("dangerous_no_tls_verify", self._name)
        else:
            # Older versions of cloudmonkey have it for each profile, newer ones for all.
            own = self._truth("verifycert", self._name)
            is_off = (self._truth("verifycert", self._tool.own_section) if own is None else own) is False
        found["validate_certs"] = False if is_off else None
        return {option: value for option, value in found.items() if value not in (None, "")}

    def _value(self, word: str, section: str | None = None) -> str:
        """Return a value of the section, an empty text if it has none."""
        try:
            value = self._parser.get(section or self._name, word, fallback="").strip()
        except configparser.InterpolationError:
            raise ProfileError(
                f"profile: {word} in {self._where} has a % that stands for nothing; write %% for a plain one"
            ) from None
        is_quoted = self._tool is _CLOUDMONKEY and len(value) > 1 and value[0] == value[-1] and value[0] in _QUOTES
        return value[1:-1] if is_quoted else value

    def _number(self, word: str, kind: t.Callable[[str], t.Any]) -> t.Any:
        value = self._value(word)
        try:
            return kind(value) if value else None
        except ValueError:
            wanted = "a whole number" if kind is int else "a number"
            raise ProfileError(f"profile: {word} in {self._where} must be {wanted}, not {value!r}") from None

    def _truth(self, word: str, section: str) -> bool | None:
        value = self._value(word, section)
        if not value:
            return None
        if value.lower() not in _TRUTH:
            raise ProfileError(f"profile: {word} in {self._where} must be true or false, not {value!r}")
        return _TRUTH[value.lower()]
