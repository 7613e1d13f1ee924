# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection options of every module and the inventory."""

from __future__ import annotations

_ENVIRONMENT = {
    "profile": "CLOUDN_PROFILE",
    "api_url": "CLOUDN_API_URL",
    "api_key": "CLOUDN_API_KEY",
    "api_secret": "CLOUDN_API_SECRET",
    "ec2_url": "CLOUDN_EC2_URL",
}


def _with_environment(documentation: str) -> str:
    """Return the documentation with the environment variables of the options."""
    for option, variable in _ENVIRONMENT.items():
        documentation = documentation.replace(
            f"\n  {option}:\n", f"\n  {option}:\n    env:\n      - name: {variable}\n"
        )
    return documentation


class ModuleDocFragment:
    # For modules. Their documentation has no place for environment variables. Their argument spec reads these.
    DOCUMENTATION = r"""
requirements:
  - requests
  - xmltodict
options:
  profile:
    description:
      - Name of a profile. It has the address and the keys of an account. A profile is a section of a file that the tools
        C(cs) or C(cloudmonkey) use. The environment variable E(CLOUDN_PROFILE) sets the option too.
      - The files are the one that the environment variable E(CLOUDSTACK_CONFIG) names, C(cloudstack.ini) in the current
        folder, C(~/.cloudstack.ini) and C(~/.cmk/config) of cloudmonkey. They are looked for on the host that runs the
        task. The first file with such a section counts, and the section counts as a whole.
      - In a file of C(cs) the section sets these options. C(endpoint) sets O(api_url), C(key) sets O(api_key) and
        C(secret) sets O(api_secret). C(timeout) sets O(api_timeout), C(expiration) sets O(signature_expires) and
        C(verify) sets O(ca_path). C(dangerous_no_tls_verify=true) sets O(validate_certs=false).
      - In the file of cloudmonkey C(url) sets O(api_url), C(apikey) sets O(api_key) and C(secretkey) sets O(api_secret).
        C(verifycert=false) sets O(validate_certs=false), also in the section C([core]). Its C(timeout) is one for jobs
        and is not used. Other lines are not used either.
      - An option that is set wins over the profile. So does an environment variable of this collection, such as
        E(CLOUDN_API_KEY). If that variable says something else than the profile, a warning says so. Give both
        O(api_key) and O(api_secret) or neither.
      - If there is no such file or section, or the section has no address or no keys, this is an error. Nothing is
        sent then. A file that other users can read or change causes a warning.
      - If neither a profile nor a key is given, the environment variables E(CLOUDSTACK_KEY) and E(CLOUDSTACK_SECRET) of
        C(cs) set O(api_key) and O(api_secret). E(CLOUDSTACK_ENDPOINT) then sets O(api_url), unless that is set.
    type: str
  api_url:
    description:
      - Address of the API. The environment variable E(CLOUDN_API_URL) sets it too.
      - It begins with C(https://) or C(http://) and has a host and a path. It ends with the path. A user, a password,
        blanks and all that begins with C(?) or C(#) are errors.
      - C(http) causes a warning because it is not encrypted. There is no warning when the host of the address is the
        local one (V(localhost) or a loopback address).
      - Requests go through the proxy that the environment variables E(HTTPS_PROXY), E(HTTP_PROXY) and E(NO_PROXY)
        name. The variables of the host that runs the task apply. Redirections are not followed.
    type: str
    default: https://comp-api.jp-e1.cloudn-service.com/client/api
  api_key:
    description:
      - API key of the account.
      - Required. The environment variable E(CLOUDN_API_KEY) sets it too. So does a O(profile).
    type: str
  api_secret:
    description:
      - Secret key of the account. It signs the requests. It is never sent.
      - Required. The environment variable E(CLOUDN_API_SECRET) sets it too. So does a O(profile).
    type: str
  api_timeout:
    description:
      - Seconds to wait for a connection. Each answer then has as many seconds to be complete.
    type: float
    default: 30
  api_retries:
    description:
      - How many times a request that only reads is sent again after a failure on the way.
      - A request that changes something is sent again only if it was certainly not done. This is so when the service
        could not be reached. It is also so when the service takes no more requests for now (HTTP 429). After an
        unknown outcome the service is asked what became of the request.
    type: int
    default: 5
  validate_certs:
    description:
      - Whether to verify the service's TLS certificate. V(false) causes a warning.
    type: bool
    default: true
  ca_path:
    description:
      - File with the certificates of the authorities to trust, in PEM form. It may also be a folder of such files
        with the names that C(openssl rehash) gives them.
      - Without this option the authorities that the Python library C(requests) knows are trusted. The environment
        variable E(REQUESTS_CA_BUNDLE) can name a file. Then the authorities in that file are trusted instead. The
        variable has no effect when this option is set.
    type: path
  response_format:
    description:
      - Format of the service's answers. The results are the same.
    type: str
    choices: [json, xml]
    default: json
  signature_expires:
    description:
      - Seconds for which the signature of a request is valid. The clock of the host that runs the task may be behind
        the service's clock by less than that.
      - V(0) signs without an expiry for services that do not know signature version 3.
    type: int
    default: 600
  account:
    description:
      - Act for this account. Requires O(domain_id).
    type: str
  domain_id:
    description:
      - Id of the domain of O(account).
    type: str
  ec2_url:
    description:
      - Address of the EC2-compatible API of the same service. It is used for what only that API offers. The
        environment variable E(CLOUDN_EC2_URL) sets it too. It has the same form as O(api_url).
      - If O(api_url) is the service's default, this is U(https://comp-apia.jp-e1.cloudn-service.com/awsapi) by
        default. With another O(api_url) you must give it. This way no key is sent to another service.
    type: str
  ec2_version:
    description:
      - Version of the EC2-compatible API. CloudStack takes only this one.
    type: str
    default: '2010-11-15'
"""

    # For the inventory. Its documentation names the environment variables, and Ansible reads them from there. The
    # annotation is needed. ansible-test's yamllint takes a value without one for a literal text. If it is not literal,
    # yamllint ends with an error.
    PLUGIN: str = _with_environment(DOCUMENTATION)
