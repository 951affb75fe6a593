"""The list of scenes. A scene draws on a Canvas and may return a caption with details."""
from .canvas import Canvas

SCENES = {}

# Every third picture carries its detailed caption (where the scene has one), the others the plain one.
DETAIL_EVERY = 3


def scene(name, caption=None):
    """Register a drawing function under a layout name; caption is the plain prompt (the name if left out)."""
    def register(draw):
        if name in SCENES:
            raise ValueError(f"scene {name!r} is registered twice")
        SCENES[name] = (draw, caption or name)
        return draw
    return register


def kind(name):
    """What a scene shows in general: the file that draws it."""
    return SCENES[name][0].__module__.rpartition(".")[2]


def picture(seed, name, index):
    """One picture, uint8 (80, 80, 3), as it was drawn (160, 160, 3), and its caption."""
    draw, plain = SCENES[name]
    canvas = Canvas(seed, name, index)
    detailed = draw(canvas)
    caption = detailed if detailed and index % DETAIL_EVERY == DETAIL_EVERY - 1 else plain
    return canvas.finished(), canvas.large(), caption
