# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What those who start the emulator ask it, beside the APIs: whether it is there, and to begin anew. No signature is needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from . import ec2, native, seed
from .version import version

if TYPE_CHECKING:
    from .server import Service

HEALTH, RESET = "/health", "/reset"


class Control:
    """`GET /health` and `POST /reset` of a service. `forget` empties the record of requests."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.forget: Callable[[], None] = lambda: None

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Serve them."""
        router.add_get(HEALTH, self.show_health)
        router.add_post(RESET, self.take_reset)

    def health(self) -> dict[str, Any]:
        """What is served: `status` is `ok`, `version` is the emulator's, the others say what it was started with.

        `ec2_path` is missing where there is no EC2-compatible API.
        """
        store = self.service.store
        paths = {"path": native.PATH, **({"ec2_path": ec2.PATH} if self.service.generation.bridge else {})}
        shown = {"status": "ok", "version": version(), "generation": store.settings.generation, **paths}
        return {**shown, "account": store.account.name, "virtual_machines": len(store.vms)}

    async def reset(self) -> None:
        """Begin anew, as after a start: with the objects and faults of the start, no jobs, and no requests in the record.

        Requests under way end with the store with which they began. Nothing of them is left, and those that wait for a job
        see it fail. Raises StateError if the file of the state can't be written.
        """
        service, before = self.service, self.service.jobs
        store = seed.seeded(service.store.settings)
        if service.state:
            service.state.follow(store)
        service.serve(store)
        service.faults.start_over()
        self.forget()
        await service.enforce()
        await before.abandon()

    async def show_health(self, request: web.Request) -> web.Response:
        """Answer with the health, in JSON."""
        return web.json_response(self.health())

    async def take_reset(self, request: web.Request) -> web.Response:
        """Begin anew, and answer with the health."""
        await self.reset()
        return web.json_response(self.health())
