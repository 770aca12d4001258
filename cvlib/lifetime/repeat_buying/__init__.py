"""Models of repeat buying fitted by maximum likelihood on distinct purchase histories."""

from cvlib.lifetime.repeat_buying.families import FAMILIES, MODELS
from cvlib.lifetime.repeat_buying.fit import (
    RepeatBuyingBootstrap,
    RepeatBuyingFit,
    fit_repeat_buying,
)

__all__ = ["FAMILIES", "MODELS", "RepeatBuyingBootstrap", "RepeatBuyingFit", "fit_repeat_buying"]
