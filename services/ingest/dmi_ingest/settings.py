"""Settings of ingest."""

from __future__ import annotations

from pydantic import Field

from dmi_infra.settings import Settings


class IngestSettings(Settings):
    """What ingest needs beyond the shared settings."""

    import_limit: int = Field(
        1024 * 1024 * 1024,
        gt=0,
        description=(
            "largest total size in bytes of the files of one import; they are streamed to the data folder, which needs "
            "the room. A JSON document is read into memory and holds at most 256 MiB"
        ),
    )
    import_days: int = Field(
        30,
        ge=1,
        description=(
            "days after which rejected rows, and the files of imports that broke off, are deleted; the term of an "
            "agreement may be shorter"
        ),
    )
    import_workers: int = Field(1, ge=1, le=8, description="imports that are read at the same time")
    import_batch_rows: int = Field(
        2000, ge=1, le=10_000, description="rows of one batch that an import hands over"
    )
