"""Build hook: the direct dependencies of the distribution are those of requirements.in, written down once."""

from pathlib import Path

from hatchling.metadata.plugin.interface import MetadataHookInterface


class CustomMetadataHook(MetadataHookInterface):
    """Fill `project.dependencies` from requirements.in."""

    def update(self, metadata: dict) -> None:
        """Set the dependency list; comment and blank lines are left out."""
        lines = (Path(self.root) / "requirements.in").read_text().splitlines()
        metadata["dependencies"] = [line for line in lines if line and not line.startswith("#")]
