# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A private certificate authority, and the good and bad certificates that it gives to servers on this machine."""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import pathlib
import ssl
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)
HERE = (x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1")))


class Authority:
    """An authority whose files are in a folder: ``path`` is its own certificate's."""

    def __init__(self, folder: pathlib.Path, name: str = "authority") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = (
            _builder(self._name, self._key)
            .issuer_name(self._name)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.path = folder / f"{name}.pem"
        self.path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def hashed(self) -> pathlib.Path:
        """Return a folder with the certificate as `openssl rehash` names it."""
        folder = self._folder / "hashed"
        folder.mkdir()
        # OpenSSL hashes the name in lower case, as UTF-8, without the sequence around it: here, what it is already.
        digest = hashlib.sha1(self._name.public_bytes()[2:]).digest()
        (folder / f"{int.from_bytes(digest[:4], 'little'):08x}.0").write_bytes(self.path.read_bytes())
        return folder

    def context(
        self,
        names: Sequence[x509.GeneralName] = HERE,
        starts: datetime.timedelta = -DAY,
        ends: datetime.timedelta = DAY,
    ) -> ssl.SSLContext:
        """Return the context of a server with a certificate for these names, from and until so long from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _builder(x509.Name([]), key, starts, ends)
            .issuer_name(self._name)
            .add_extension(x509.SubjectAlternativeName(names), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        path = self._folder / "server.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def _builder(
    name: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    starts: datetime.timedelta = -2 * DAY,
    ends: datetime.timedelta = 2 * DAY,
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + starts)
        .not_valid_after(now + ends)
    )
