"""The instances and earlier backups that a round's cloud starts with."""

from collections.abc import Sequence
from random import Random

from localcloud.seed import Seed, SeedBackup, SeedInstance, load_seed


DAY = 86_400.0
BLUE = "blue"
"""The name of another deployment, and sometimes of ours."""


def seed_of(instances: Sequence[SeedInstance], backups: Sequence[SeedBackup] = ()) -> Seed:
    """Return the built-in seed with other instances and backups."""
    return load_seed().model_copy(update={"instances": tuple(instances), "backups": tuple(backups)})


def draw_instances(rng: Random, least: int, most: int, *, data_gb: float, oddities: bool = True) -> list[SeedInstance]:
    """Draw instances with tags. With `oddities` some are not normal, and the backups of some fail."""
    found = []
    for number in range(rng.randint(least, most)):
        status, fails_with = "normal", None
        if oddities and rng.random() < 0.15:
            status = rng.choice(("abnormal", "frozen", "creating"))
        elif oddities and rng.random() < 0.1:
            fails_with = "The backup could not be uploaded to OBS."
        found.append(
            SeedInstance(
                id=f"{rng.getrandbits(128):032x}in02",
                name=rng.choice(("db", "shop", "data")) + f"-{number}",
                mode=rng.choice(("Sharding", "ReplicaSet", "Single")),
                status=status,
                fails_with=fails_with,
                data_gb=data_gb,
                days_old=rng.choice((0.5, 30, 700)),
                tags={"env": rng.choice(("prod", "test")), **rng.choice(({}, {}, {"backup": "yes"}, {"backup": "no"}))},
            )
        )
    return found


def backup_of(
    rng: Random, instance_id: str, days_old: float, *, description: str | None = None, fails_with: str | None = None
) -> SeedBackup:
    """Return an earlier backup, by default one that this application made."""
    key = f"key:{rng.getrandbits(128):032x}"
    return SeedBackup(
        id=f"{rng.getrandbits(128):032x}br02",
        name=f"old-{rng.getrandbits(48):012x}",
        instance_id=instance_id,
        instance_name="somebody",
        description=key if description is None else description.replace("KEY", key),
        days_old=days_old,
        fails_with=fails_with,
    )


def draw_description(rng: Random, stack: str | None) -> str:
    """Draw the description of a backup: mostly of this deployment, else of another one, by hand, or a near miss."""
    own = f"nightly;stack:{stack};KEY" if stack else "nightly;KEY"
    others = (
        "by hand",
        "",
        "KEY and more",
        "key:0123456789abcdef",
        f"stack:{'green' if stack else BLUE};KEY",
        *(("unmarked;KEY",) if stack else ()),
    )
    return own if rng.random() < 0.8 else rng.choice(others)
