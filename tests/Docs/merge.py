"""merge.py FILE PART: merges the tables of PART into FILE, both TOML. A value of PART replaces that of FILE."""
import json
import sys
import tomllib


def merged(old, new):
    for key, value in new.items():
        old[key] = merged(old.get(key, {}), value) if isinstance(value, dict) else value
    return old


def text(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {text(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(text(one) for one in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def main(file, part):
    with open(file, "rb") as reader:
        old = tomllib.load(reader)
    with open(part, "rb") as reader:
        new = tomllib.load(reader)
    with open(file, "w", encoding="utf-8") as writer:
        for kind, sections in merged(old, new).items():
            if kind == "daemon":
                writer.write("[daemon]\n" + "".join(f"{key} = {text(value)}\n" for key, value in sections.items()))
                continue
            for name, section in sections.items():
                writer.write(f"[{kind}.{json.dumps(name)}]\n" + "".join(f"{key} = {text(value)}\n" for key, value in section.items()))


main(*sys.argv[1:])
