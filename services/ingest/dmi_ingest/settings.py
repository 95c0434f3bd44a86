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
            "the room. A JSON document is read into memory, where it takes up to fifteen times its size: it holds at "
            "most 64 MiB, and 4 million arrays and objects"
        ),
    )
    import_open: int = Field(
        20,
        ge=1,
        description="imports that one participant began, also for others by mandates, that wait, run or can be resumed "
        "at the same time; above it 429",
    )
    import_room: int = Field(
        4 * 1024 * 1024 * 1024,
        gt=0,
        description="bytes that the files of these imports of one participant hold together; above it 413",
    )
    import_free: int = Field(
        1024 * 1024 * 1024,
        ge=0,
        description=(
            "bytes of the disk that imports leave free for bus, stores and records; below it files are answered with "
            "503, and an import that runs waits to be resumed"
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
