"""Which arm a targeting key belongs to: a hash, nothing else, so that anybody can compute it."""

from hashlib import blake2b

from onefold.experiments.records import Assignment, Experiment

_SPACE = 1 << 64


def assign(experiment: Experiment, targeting_key: str) -> Assignment:
    """Return the arm of a targeting key, as sent; always the same for the same key.

    The key's place is the first 8 bytes, big-endian, of BLAKE2b-64 over
    `salt + NUL + targeting key` in UTF-8, divided by 2^64. The arms lie side by side from 0 to 1
    in the order of the file, each as wide as its weight. The salt is the experiment's name unless
    it has its own, so that two experiments split independently.
    """
    bucket = bucket_of(experiment.salt, targeting_key)
    return Assignment(
        experiment=experiment.name,
        arm=_arm_at(experiment, bucket),
        targeting_key=targeting_key,
        bucket_share=bucket / _SPACE,
    )


def bucket_of(salt: str, targeting_key: str) -> int:
    """Return the place of a key under a salt, from 0 to 2^64 - 1.

    >>> bucket_of("larger-first-pins", "user-1")
    3628931061236227742
    """
    text = f"{salt}\x00{targeting_key}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big")


def _arm_at(experiment: Experiment, bucket: int) -> str:
    # Whole numbers only: no rounding decides at a border.
    place = bucket * sum(arm.weight for arm in experiment.arms)
    edge = 0
    for arm in experiment.arms:
        edge += arm.weight * _SPACE
        if place < edge:
            return arm.name
    return experiment.arms[-1].name
