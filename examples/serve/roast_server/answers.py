"""Arrays as answers: JSON, .npy or .npz, as the client asks."""

from __future__ import annotations

from fastapi import Response
from fastapi.responses import JSONResponse

from .batching import Answer
from .json_arrays import json_values
from .npy_arrays import npy_from_array, npz_from_arrays
from .problems import Problem

NPY, NPZ = "application/x-npy", "application/x-npz"


def array_answer(results: Answer, accept: str, output: str, most: int) -> Response:
    """Of all outputs, or of the one that is named. Raises Problem."""
    if output:
        if output not in results:
            names = ", ".join(results)
            raise Problem(422, "output", f"there is no output {output!r:.60}", f"outputs: {names}")
        results = {output: results[output]}
    if NPY in accept:
        if len(results) != 1:
            names = ", ".join(results)
            hint = f"?output=NAME takes one ({names}); Accept: {NPZ} is for all"
            raise Problem(422, "output", f"the net has {len(results)} outputs", hint)
        (array,) = results.values()
        return Response(npy_from_array(array), media_type=NPY)
    if NPZ in accept:
        return Response(npz_from_arrays(results), media_type=NPZ)
    count = sum(array.size for array in results.values())
    if count > most:
        error = f"the answer has {count} numbers; {most} are the limit for JSON"
        raise Problem(406, "output", error, f"Accept: {NPY} or {NPZ}, or --max-values")
    return JSONResponse({"outputs": {name: json_values(a) for name, a in results.items()}})
