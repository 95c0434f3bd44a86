"""Failures particular to the support centre, on top of ``dmi_infra.errors``.

InputRefused
├── ModelRefused         an edit, rule or coefficient that the model cannot take (400)
├── AddressRefused       a webhook address that must not be called (400)
├── MovedOn              a change of a version that something no longer stands in (412)
└── VersionNotStated     a change that does not say of which version (428)
"""

from __future__ import annotations

from dmi_infra.errors import FieldError, InputRefused
from dmi_support_centre.models.measures import RuleRefused
from dmi_support_centre.models.scenario import ScenarioRefused


class ModelRefused(InputRefused):
    """What the model said to an input, with the field and the rule."""

    code = "model-refused"

    @classmethod
    def from_model(cls, refused: ScenarioRefused | RuleRefused) -> ModelRefused:
        """The model's own words as a problem."""
        number = refused.edit if isinstance(refused, ScenarioRefused) else None
        field = refused.field if number is None else f"edits.{number}.{refused.field}"
        return cls(f"{field}: {refused.rule}", [FieldError(field, refused.rule)])


class AddressRefused(InputRefused):
    """An address for webhooks that is none, or that leads into the own network."""

    code = "address-refused"


class MovedOn(InputRefused):
    """Somebody else changed it since it was read; nothing was written."""

    status = 412
    code = "moved-on"


class VersionNotStated(InputRefused):
    """Written blindly, the change might undo somebody else's; nothing was written."""

    status = 428
    code = "version-not-stated"
