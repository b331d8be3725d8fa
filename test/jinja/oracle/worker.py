"""Renders templates with real Jinja2: one JSON request a line in, one JSON answer a line out."""

import base64
import hashlib
import json
import signal
import sys

import jinja2
import jinja2.sandbox
import markupsafe
import slugify
import yaml

UNDEFINED = {
    "default": jinja2.Undefined,
    "strict": jinja2.StrictUndefined,
    "chainable": jinja2.ChainableUndefined,
    "debug": jinja2.DebugUndefined,
}
ENVIRONMENT = {
    "plain": jinja2.Environment,
    "sandbox": jinja2.sandbox.SandboxedEnvironment,
}
SECONDS = 10


class Timeout(Exception):
    pass


def decode(value):
    """JSON with `$py` tags for what JSON cannot say."""
    if isinstance(value, list):
        return [decode(v) for v in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("$py")
    if kind is None:
        return {k: decode(v) for k, v in value.items()}
    inner = value.get("v")
    if kind == "float":
        return float(inner)
    if kind == "int":
        return int(inner)
    if kind == "tuple":
        return tuple(decode(v) for v in inner)
    if kind == "dict":
        return {decode(k): decode(v) for k, v in inner}
    if kind == "markup":
        return markupsafe.Markup(inner)
    if kind == "bytes":
        return base64.b64decode(inner)
    raise ValueError(f"unknown tag {kind}")



def represent_str(dumper, data):
    style = None
    if len(data.splitlines()) > 1:
        style = "|"
    elif data.isnumeric():
        style = "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", data, style=style)


class KluctlDumper(yaml.SafeDumper):
    pass


class KluctlLoader(yaml.SafeLoader):
    pass


KluctlDumper.add_representer(str, represent_str)
KluctlLoader.add_constructor("tag:yaml.org,2002:value", lambda loader, node: node.value)


def sha256(value, digest_len=None):
    return hashlib.sha256(value.encode("utf-8")).hexdigest()[:digest_len]


FILTERS = {
    "to_yaml": lambda v: yaml.dump(v, Dumper=KluctlDumper, sort_keys=False),
    "plain_yaml": lambda v: yaml.dump(v, Dumper=yaml.SafeDumper, sort_keys=False),
    "from_yaml": lambda v: yaml.load(v, Loader=KluctlLoader),
    "to_json": json.dumps,
    "b64encode": lambda v: base64.b64encode(v.encode("utf-8")).decode("utf-8"),
    "b64decode": lambda v: base64.b64decode(v).decode("utf-8"),
    "sha256": sha256,
    "slugify": lambda v, **kw: slugify.slugify(v, **kw),
}


def upper_gettext(message):
    return message.upper()


def environment(options, templates):
    options = dict(options)
    cls = ENVIRONMENT[options.pop("environment", "plain")]
    undefined = UNDEFINED[options.pop("undefined", "default")]
    translations = options.pop("translations", None)
    newstyle = options.pop("newstyle", False)
    policies = options.pop("policies", {})
    extensions = ["jinja2.ext." + e for e in options.pop("extensions", [])]
    loader = jinja2.FunctionLoader(lambda n: (templates[n], n, None) if n in templates else None)
    env = cls(loader=loader, undefined=undefined, extensions=extensions, **options)
    env.policies.update(policies)
    env.filters.update(FILTERS)
    if translations == "null":
        env.install_null_translations(newstyle=newstyle)
    elif translations == "upper":
        env.install_gettext_callables(
            upper_gettext, lambda s, p, n: (s if n == 1 else p).upper(), newstyle=newstyle
        )
    return env


def failing_place(error):
    """Template name and line of the innermost frame that is a template's."""
    if isinstance(error, jinja2.TemplateSyntaxError):
        return error.name, error.lineno
    place = (None, None)
    tb = error.__traceback__
    while tb is not None:
        name = tb.tb_frame.f_code.co_filename
        if "__jinja_exception__" in tb.tb_frame.f_globals or name == "<template>":
            place = (None if name == "<template>" else name, tb.tb_lineno)
        tb = tb.tb_next
    return place


def render(env, job):
    templates = job.get("templates") or {}
    context = decode(job.get("context") or {})
    signal.alarm(SECONDS)
    try:
        if job.get("expression"):
            return {"output": repr(env.compile_expression(job["template"])(**context))}
        template = env.get_template(job["template"]) if job.get("named") else env.from_string(job["template"])
        return {"output": template.render(context)}
    except RecursionError as error:
        return {"error": "RecursionError", "message": str(error), "name": None, "line": None}
    except Exception as error:
        name, line = failing_place(error)
        message = error.message if isinstance(error, jinja2.TemplateSyntaxError) else str(error)
        return {"error": type(error).__name__, "message": message, "name": name, "line": line}
    finally:
        signal.alarm(0)


def build_table():
    """Every code point that text-unidecode turns into something, for src/jinja/kluctl."""
    import text_unidecode

    return [text_unidecode.unidecode(chr(i)) if not 0xD800 <= i < 0xE000 else "" for i in range(0x10000)]


def answer(request, cache):
    if request.get("table"):
        return build_table()
    results = []
    for job in request["jobs"]:
        options = job.get("options") or {}
        templates = job.get("templates") or {}
        key = json.dumps([options, templates], sort_keys=True)
        if key not in cache:
            if len(cache) > 2000:
                cache.clear()
            cache[key] = environment(options, templates)
        results.append(render(cache[key], job))
    return results


def on_alarm(signum, frame):
    raise Timeout(f"more than {SECONDS} s")


def main():
    signal.signal(signal.SIGALRM, on_alarm)
    cache = {}
    for line in sys.stdin:
        request = json.loads(line)
        body = {"id": request["id"]}
        try:
            body["results"] = answer(request, cache)
        except Exception as error:
            body["fault"] = f"{type(error).__name__}: {error}"
        sys.stdout.write(json.dumps(body) + "\n")
        sys.stdout.flush()


main()
