"""Who keeps what was made of a dataset, and who forgets that one, take turns; others do not wait."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

from dmi_support_centre.forgetting import Forgotten


def test_nobody_waits_for_what_is_kept_of_another_dataset() -> None:
    forgotten = Forgotten()

    def others() -> bool:
        begun = forgotten.times_of(["garages", "areas"])
        with forgotten.forgetting("trips"):
            pass
        with forgotten.keeping_all({"areas": begun["areas"], "trips": 1}) as whole:
            return whole

    with ThreadPoolExecutor(1) as pool, forgotten.keeping("garages", 0):
        assert pool.submit(others).result(timeout=5)


def test_what_is_kept_of_several_datasets_is_over_before_one_of_them_is_forgotten() -> None:
    forgotten, asked = Forgotten(), Event()

    def forget() -> None:
        asked.set()
        with forgotten.forgetting("garages"):
            pass

    with ThreadPoolExecutor(1) as pool:
        with forgotten.keeping_all({"garages": 0, "areas": 0}) as whole:
            gone = pool.submit(forget)
            assert asked.wait(5)
            assert whole
            assert forgotten.times("garages") == 0
        gone.result(timeout=5)
    assert forgotten.times("garages") == 1
    with forgotten.keeping_all({"areas": 0, "garages": 0}) as whole:
        assert not whole
