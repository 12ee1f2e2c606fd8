"""PyTorch: a module's parameters as arrays whose digest is exactly defined."""

from __future__ import annotations

from typing import Any

import numpy as np

from consentry.errors import InputRejected


def torch_weights(module: Any) -> dict[str, np.ndarray[Any, Any]]:
    """Return a module's `state_dict` as arrays by name, for `register_version` and `record_round`.

    Tensors are moved to the processor's memory; bfloat16 becomes float32, which holds it exactly.

    Raises:
        InputRejected: WEIGHTS_INVALID, the module has no parameters.
    """
    state = module.state_dict() if hasattr(module, "state_dict") else module
    if not state:
        raise InputRejected("WEIGHTS_INVALID", "the module has no parameters")
    return {str(name): _array(tensor) for name, tensor in state.items()}


def _array(tensor: Any) -> np.ndarray[Any, Any]:
    held = tensor.detach().cpu()
    if str(held.dtype) == "torch.bfloat16":
        held = held.float()
    return np.asarray(held.numpy())
