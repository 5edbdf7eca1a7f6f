"""HTTP: the register of egress addresses, for those who allow them. Nothing is judged here."""

import csv
import io
from typing import Final

import azure.functions as func

from functions.answers import answer, problem, within

bp = func.Blueprint()
_MOST: Final = 1000
_FORMATS: Final = ("json", "csv", "txt")
# Where the next page begins, for formats that have no place for it.
_CONTINUATION: Final = "x-egress-governor-continuation"


@bp.route(route="addresses", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
async def addresses(req: func.HttpRequest) -> func.HttpResponse:
    """GET: whence subnets and clusters leave (`policy`, `cluster`, `format=json|csv|txt`, `limit`, `continuation`).

    `format=txt` is an allow-list: every address of the page once, one in each line.
    """
    from governor.core.register import COLUMNS, Sought, listed
    from governor.wiring import worker

    form, asked = req.params.get("format", "json"), req.params.get("limit", "200")
    if form not in _FORMATS:
        return problem(400, f"format={form!r}: expected {', '.join(_FORMATS)}")
    if (limit := within(asked, _MOST)) is None:
        return problem(400, f"limit={asked[:20]!r}: expected a number from 1 to {_MOST}")
    sought, begins = Sought(req.params.get("policy"), req.params.get("cluster")), req.params.get("continuation")
    try:
        page = await worker().ports.ledger.addresses(sought, limit, begins)
    except ValueError as wrong:
        return problem(400, str(wrong))
    if sought.cluster is not None and not page.entries and begins is None:
        # An empty list would be taken for one that allows nothing.
        return problem(404, f"cluster={sought.cluster!r}: no cluster of this name or id is in the register")
    found = [listed(one.entry, one) for one in page.entries]
    headers = {_CONTINUATION: page.continuation} if page.continuation else {}
    match form:
        case "csv":
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows((COLUMNS, *(one.row for one in found)))
            return func.HttpResponse(text.getvalue(), headers=headers, mimetype="text/csv")
        case "txt":
            every = sorted({address for one in found for address in one.addresses})
            return func.HttpResponse("".join(f"{one}\n" for one in every), headers=headers, mimetype="text/plain")
        case _:
            return answer({"addresses": found, "continuation": page.continuation})
