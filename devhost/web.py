"""HTTP requests in, answers of functions, webhooks and the admin interface out."""

import json
from collections.abc import Mapping

from aiohttp import web
from azure.functions.meta import Datum

from devhost import event_grid, routes, runs
from devhost.activity import Activity
from devhost.functions import Function
from devhost.invocation import Invocations
from devhost.keys import Keys
from devhost.triggers import of_request

LARGEST_BODY = 100 * 1024 * 1024


class Web:
    """Decides who answers a request, and whether the caller may ask."""

    def __init__(
        self,
        functions: Mapping[str, Function],
        prefix: str,
        keys: Keys | None,
        invocations: Invocations,
        activity: Activity,
    ) -> None:
        self._functions = functions
        self._routes = routes.read(functions.values(), prefix)
        self._keys = keys
        self._invocations = invocations
        self._activity = activity

    def application(self) -> web.Application:
        """The aiohttp application that listens."""
        application = web.Application(client_max_size=LARGEST_BODY)
        application.router.add_route("*", "/{path:.*}", self._answer)
        return application

    async def _answer(self, request: web.Request) -> web.Response:
        path = request.raw_path.partition("?")[0]
        match [segment.lower() for segment in path.split("/") if segment]:
            case ["runtime", "webhooks", "eventgrid"]:
                if not self._may(request, "system"):
                    return web.Response(status=401)
                return await event_grid.answer(request, self._functions, self._invocations)
            case ["admin", "functions", _] if request.method == "POST":
                if not self._may(request, "admin"):
                    return web.Response(status=401)
                return await self._run_now(request, path.rstrip("/").rpartition("/")[2])
            case _:
                return await self._route(request, path)

    async def _route(self, request: web.Request, path: str) -> web.Response:
        found = routes.match(self._routes, request.method, path)
        if found is None:
            return web.Response(status=404)
        route, values = found
        if not self._may(request, route.level):
            return web.Response(status=401)
        headers = {name: ",".join(request.headers.getall(name)) for name in request.headers}
        query = {name: ",".join(request.query.getall(name)) for name in request.query}
        data = of_request(request.method, str(request.url), headers, query, values, await request.read())
        # The log names the route: a value in the path may be a secret.
        reason = f"{request.method} /{route.path}"
        outcome = await self._invocations.run(route.function, data, reason)
        if outcome.failure is not None:
            return web.Response(status=500)
        return _response(outcome.returned)

    async def _run_now(self, request: web.Request, name: str) -> web.Response:
        function = self._functions.get(name)
        if function is None:
            return web.Response(status=404)
        try:
            given = json.loads(await request.text() or "{}").get("input", "")
            data = runs.data(function, given if isinstance(given, str) else json.dumps(given))
        except (ValueError, AttributeError):
            return web.Response(status=400)
        self._activity.start(self._invocations.run(function, data, "admin"))
        return web.Response(status=202)

    def _may(self, request: web.Request, level: str) -> bool:
        given = request.headers.get("x-functions-key") or request.query.get("code", "")
        return self._keys is None or self._keys.opens(level, given)


def _response(returned: Datum | None) -> web.Response:
    if returned is None or returned.type is None:
        return web.Response(status=204)
    if returned.type == "string":
        return web.Response(text=returned.value)
    value = returned.value
    headers = {name: each.value for name, each in value["headers"].items()}
    response = web.Response(status=int(value["status_code"].value), headers=headers, body=value["body"].value)
    for cookie in value["cookies"] or ():
        for morsel in cookie.values():
            response.headers.add("Set-Cookie", morsel.OutputString())
    return response
