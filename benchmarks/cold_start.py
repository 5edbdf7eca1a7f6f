"""What a cold worker costs: `python -m benchmarks.cold_start` prints one line of JSON, measured in fresh processes."""

import json
import subprocess
import sys

ROUNDS = 7
PROBE = """
import json, resource, sys, time
begin = time.perf_counter()
import function_app
functions = function_app.app.get_functions()
seconds = time.perf_counter() - begin
print(json.dumps({
    "functions": len(functions),
    "milliseconds": seconds * 1000,
    "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    "azure_mgmt_loaded": sorted(m for m in sys.modules if m.startswith("azure.mgmt")),
}))
"""


def cold_start() -> dict[str, object]:
    """Nothing in, the median of several fresh processes that import and index the function app out."""
    runs = []
    for _ in range(ROUNDS):
        done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True, env={})
        runs.append(json.loads(done.stdout))
    runs.sort(key=lambda run: float(run["milliseconds"]))
    middle: dict[str, object] = runs[len(runs) // 2]
    return {name: round(v, 1) if isinstance(v, float) else v for name, v in middle.items()}


if __name__ == "__main__":
    print(json.dumps(cold_start()))
