"""Procedural scenes and objects for the pocket model's training set."""
from . import (  # noqa: F401  (imported for their registrations)
    armour, buildings, creatures, dungeon, fantasy, land, lettering, machines, materials, objects, patterns, people, structures,
    terrain, weapons, weather,
)
from .registry import SCENES, kind, picture  # noqa: F401
