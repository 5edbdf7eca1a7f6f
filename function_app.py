"""The Function App: its functions are registered here. Importing it reads no environment and does no I/O."""

import azure.functions as func

from functions import addresses, admission, compliance, decide, govern, resource_changed, sweep

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
for module in (resource_changed, sweep, govern, decide, compliance, addresses, admission):
    app.register_functions(module.bp)
