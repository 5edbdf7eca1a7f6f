"""A value in, the HTTP answer that carries it out."""

import azure.functions as func
import msgspec


def answer(value: object, status: int = 200) -> func.HttpResponse:
    """A value and a status in, a JSON answer out."""
    return func.HttpResponse(msgspec.json.encode(value), status_code=status, mimetype="application/json")


def problem(status: int, why: str) -> func.HttpResponse:
    """A status and one clear line in, the answer that says so out."""
    return answer({"error": why}, status)
