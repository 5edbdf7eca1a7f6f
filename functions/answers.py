"""A value in, the HTTP answer that carries it out."""

import azure.functions as func
import msgspec


def answer(value: object, status: int = 200) -> func.HttpResponse:
    """A value and a status in, a JSON answer out."""
    return func.HttpResponse(msgspec.json.encode(value), status_code=status, mimetype="application/json")


def within(text: str, most: int) -> int | None:
    """A number of a query in, the number out; None for what is none from 1 to `most`."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(most)) else 0
    return number if 0 < number <= most else None


def problem(status: int, why: str) -> func.HttpResponse:
    """A status and one clear line in, the answer that says so out."""
    return answer({"error": why}, status)
