"""What to write, said where pydantic would quote a regular expression."""

from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema
from pydantic_core.core_schema import custom_error_schema


@dataclass(frozen=True)
class Hint:
    """Stands after the constraints of an `Annotated` type, whose JSON schema stays as it is."""

    text: str

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return custom_error_schema(
            handler(source), custom_error_type="hint", custom_error_message=self.text
        )
