"""Measures CPython's Jinja2: one JSON request on stdin, one JSON answer on stdout."""

import json
import sys
import time

import jinja2


def per_second(run, seconds):
    batch, warm = 1, time.process_time() + seconds / 2
    while time.process_time() < warm:
        before = time.process_time()
        for _ in range(batch):
            run()
        if time.process_time() - before < 0.02:
            batch *= 2
    done, start = 0, time.process_time()
    while True:
        for _ in range(batch):
            run()
        done += batch
        spent = time.process_time() - start
        if spent >= seconds:
            return done / spent


def measure(sample, seconds):
    loader = jinja2.DictLoader({**sample["templates"], "main": sample["source"]})
    env = jinja2.Environment(loader=loader)
    template = env.get_template("main")

    def compile_all():
        fresh = jinja2.Environment(loader=loader)
        for name in loader.mapping:
            fresh.get_template(name)

    return {
        "output": template.render(sample["context"]),
        "renders": per_second(lambda: template.render(sample["context"]), seconds),
        "compiles": per_second(compile_all, seconds / 2),
    }


request = json.load(sys.stdin)
json.dump([measure(sample, request["seconds"]) for sample in request["samples"]], sys.stdout)
