"""What a team writes in an afternoon: loads each YAML file round-trip and collects what looks like an image.

It changes nothing; a script that did would have to write every file as well.

    python ruamel_extract.py FOLDER
"""

import sys
import warnings
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

KEYS = {"image", "repository", "registry"}


def main(folder):
    """Prints how many images are named in the YAML files below `folder`, and in how many files."""
    warnings.simplefilter("ignore")  # anchors that are defined twice
    yaml = YAML()  # round-trip: what a script that keeps comments has to use
    files = images = unread = 0
    for path in sorted(Path(folder).rglob("*.y*ml")):
        if not path.is_file() or any(part.startswith(".") for part in path.relative_to(folder).parts):
            continue
        files += 1
        try:
            for document in yaml.load_all(path.read_text()):
                images += sum(1 for _ in named(document))
        # Templates, and whatever else ruamel.yaml does not take.
        except (YAMLError, UnicodeDecodeError, ValueError, RecursionError, NotImplementedError):
            unread += 1
    print(f"{files} files, {images} images, {unread} files unread")


def named(node):
    """The texts under the keys that name images."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in KEYS and isinstance(value, str):
                yield value
            else:
                yield from named(value)
    elif isinstance(node, list):
        for value in node:
            yield from named(value)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python ruamel_extract.py FOLDER")
    main(sys.argv[1])
