"""How a service is shipped: images, workflows and the files of platforms, the same for every language.

What differs by language is the `Container` that a target names.
"""

from freehold.generator.deploy.artefacts import files
from freehold.generator.deploy.container import Action, Container

__all__ = ["Action", "Container", "files"]
