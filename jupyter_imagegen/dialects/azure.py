"""Azure: OpenAI's form, below the path of a deployment, which is the model.

Source: the Azure client of openai-python 3.52 and Microsoft's reference of the images API, read 2026-11-20. A base URL
that ends in /openai/v1 is the newer surface: there the model is in the body, and no api-version is asked for.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

from ..errors import SettingsError
from . import Spelling, Wanted
from .openai import share
from .openai import spell as as_openai

__all__ = ["share", "spell"]


def spell(wanted: Wanted) -> Spelling:
    """As OpenAI's, with the deployment in the path instead of a model in the body.

    Raises SettingsError where no deployment is named.
    """
    spelt = as_openai(wanted)
    if wanted.base_url.endswith("/openai/v1"):
        return replace(spelt, query={})
    if not wanted.model:
        message = "azure is asked by the name of a deployment, and none is given."
        raise SettingsError(message, "Name it with -m or IMAGEGEN_MODEL. Nothing was sent.")
    fields = {name: value for name, value in spelt.fields.items() if name != "model"}
    return replace(spelt, path=f"/openai/deployments/{quote(wanted.model, safe='')}{spelt.path}", fields=fields)
