"""A function and an input text in, the data of a run that the admin interface asks for out."""

import json
import time
import uuid

from devhost.functions import Function
from devhost.store import Message
from devhost.triggers import Data, of_event, of_message, of_request, of_timer


def data(function: Function, given: str) -> Data:
    """What the function is handed; ValueError if the input does not fit its trigger."""
    match function.kind:
        case "timerTrigger":
            return of_timer(past_due=False, status=None)
        case "queueTrigger":
            now = time.time()
            return of_message(Message(str(uuid.uuid4()), "", given, now, now, 1, ""))
        case "eventGridTrigger":
            event = json.loads(given)
            if not isinstance(event, dict):
                raise ValueError("the input is not an event")
            return of_event(event)
        case _:
            return of_request("POST", "http://127.0.0.1/", {}, {}, {}, given.encode())
