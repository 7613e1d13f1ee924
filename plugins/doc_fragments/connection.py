# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How to reach the service: the options that every module and the inventory share."""

from __future__ import annotations

_ENVIRONMENT = {
    "api_url": "CLOUDN_API_URL",
    "api_key": "CLOUDN_API_KEY",
    "api_secret": "CLOUDN_API_SECRET",
    "ec2_url": "CLOUDN_EC2_URL",
}


def _with_environment(documentation: str) -> str:
    """Return the documentation with the variables that Ansible reads for a plugin's options."""
    for option, variable in _ENVIRONMENT.items():
        documentation = documentation.replace(
            f"\n  {option}:\n", f"\n  {option}:\n    env:\n      - name: {variable}\n"
        )
    return documentation


class ModuleDocFragment:
    # For modules, whose documentation has no place for variables; their argument spec reads them.
    DOCUMENTATION = r"""
requirements:
  - requests
  - xmltodict
options:
  api_url:
    description:
      - Address of the API, also read from the environment variable E(CLOUDN_API_URL).
      - C(http) is not encrypted, which is warned of, unless the host is this machine (V(localhost) or a loopback address).
      - It is reached through the proxy that the environment variables E(HTTPS_PROXY), E(HTTP_PROXY) and E(NO_PROXY) of
        where the task runs name. Redirections are not followed.
    type: str
    default: https://comp-api.jp-e1.cloudn-service.com/client/api
  api_key:
    description:
      - API key of the account.
      - Needed, here or in the environment variable E(CLOUDN_API_KEY).
    type: str
  api_secret:
    description:
      - Secret key of the account. It signs the requests and is never sent.
      - Needed, here or in the environment variable E(CLOUDN_API_SECRET).
    type: str
  api_timeout:
    description:
      - Seconds to wait for a connection, and then for each answer to be complete.
    type: float
    default: 30
  api_retries:
    description:
      - How many times a request that only reads is tried again after a failure on the way.
      - A request that changes something is sent again only where it was certainly not done, as when the service could not
        be reached or takes no more requests for now (HTTP 429). After an unknown outcome the service is asked what became
        of it.
    type: int
    default: 5
  validate_certs:
    description:
      - Whether the service's TLS certificate is verified. V(false) is warned of.
    type: bool
    default: true
  ca_path:
    description:
      - File with the certificates of the authorities to trust, in PEM form, or folder of such files with the names that
        C(openssl rehash) gives them.
      - Without it, the authorities that the Python library C(requests) knows are trusted, or those in the file that the
        environment variable E(REQUESTS_CA_BUNDLE) names. That variable has no effect on what is set here.
    type: path
  response_format:
    description:
      - Format in which the service answers. The results are the same.
    type: str
    choices: [json, xml]
    default: json
  signature_expires:
    description:
      - Seconds for which the signature of a request holds. This machine's clock may be behind the service's by less than
        that.
      - V(0) signs without an end, for services that know no signature version 3.
    type: int
    default: 600
  account:
    description:
      - Act for this account. Needs O(domain_id).
    type: str
  domain_id:
    description:
      - Domain of O(account), by its id.
    type: str
  ec2_url:
    description:
      - Address of the EC2-compatible API of the same service, for what only that API offers. Also read from the
        environment variable E(CLOUDN_EC2_URL).
      - Where O(api_url) is the service's, this is the service's too, U(https://comp-apia.jp-e1.cloudn-service.com/awsapi).
        Beside another O(api_url) it must be given, so that no key is sent to another service.
    type: str
  ec2_version:
    description:
      - Version of the EC2-compatible API. CloudStack's takes this one alone.
    type: str
    default: '2010-11-15'
"""

    # For the inventory, which reads the environment through its documentation. The annotation is needed: ansible-test's
    # yamllint takes whatever is assigned here without one for a literal text, and ends with an error if it is not.
    PLUGIN: str = _with_environment(DOCUMENTATION)
