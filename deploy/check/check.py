"""Checks what is under deploy/ and k8s/ without a container engine, a cluster or a network. scripts/test runs it.

A program that is not installed is skipped with a word; with REQUIRE_DEPLOY_TOOLS set that is a failure, but for kubectl.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import unittest
from pathlib import Path

import kubernetes_validate
import yaml

import policy

ROOT = Path(__file__).resolve().parents[2]
OVERLAYS = ("sandbox", "production")
# The oldest version whose features the manifests use, and the newest that the schemas are there for.
KUBERNETES = ("1.30", kubernetes_validate.latest_version())
# What Kubernetes itself has no schema for: kind and the fields that such a manifest may and must have.
CUSTOM = {
    "HTTPRoute": ({"parentRefs", "hostnames", "rules"}, {"parentRefs", "rules"}),
    "ServiceMonitor": ({"selector", "endpoints"}, {"selector", "endpoints"}),
}
# Exposure by `systemd-analyze security`, in tenths; a unit without any hardening has 96.
MOST_EXPOSURE = 15


def main():
    os.chdir(ROOT)
    yaml_is_clean()
    compose_and_dockerfile_are_clean()
    manifests_are_valid()
    rules_and_dashboards_are_valid()
    unit_is_hardened()


def yaml_is_clean():
    run("yamllint", "--strict", "--config-file", "deploy/check/yamllint.yaml", "docker-compose.yml", "deploy", "k8s")


def compose_and_dockerfile_are_clean():
    run("check-jsonschema", "--quiet", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml")
    run("hadolint", "deploy/Dockerfile")
    toolchain = re.search(r'channel = "(.+)"', Path("rust-toolchain.toml").read_text())[1]
    if f"FROM rust:{toolchain}-alpine" not in Path("deploy/Dockerfile").read_text():
        fail(f"deploy/Dockerfile does not build with Rust {toolchain}")
    # Cargo reads the manifest of every member, whichever it builds.
    sent = Path("deploy/Dockerfile.dockerignore").read_text().splitlines()
    for member in tomllib.loads(Path("Cargo.toml").read_text())["workspace"]["members"]:
        if "!" + member.split("/")[0] not in sent:
            fail(f"an image cannot be built: deploy/Dockerfile.dockerignore leaves {member} out")


def manifests_are_valid():
    if not installed("kubectl", required=False):
        return
    for overlay in OVERLAYS:
        manifests = rendered(overlay)
        for manifest in manifests:
            kind = manifest["kind"]
            if kind in CUSTOM:
                may, must = CUSTOM[kind]
                if not must <= manifest["spec"].keys() <= may:
                    fail(f"{overlay}: {kind} has {sorted(manifest['spec'])}")
                continue
            for version in KUBERNETES:
                kubernetes_validate.validate(manifest, version, strict=True)
        for problem in policy.problems(manifests):
            fail(f"{overlay}: {problem}")
    tests = unittest.defaultTestLoader.loadTestsFromName("test_policy")
    if not unittest.TextTestRunner(verbosity=0).run(tests).wasSuccessful():
        fail("the policy does not find what it should")


def rendered(overlay):
    """The manifests of an overlay; for production with the Ingress, which takes the HTTPRoute's place where there is none."""
    text = run("kubectl", "kustomize", f"k8s/overlays/{overlay}")
    if overlay == "production":
        text += "---\n" + Path("k8s/components/ingress/ingress.yaml").read_text()
    return [manifest for manifest in yaml.safe_load_all(text) if manifest]


def rules_and_dashboards_are_valid():
    rules = yaml.safe_load(Path("deploy/prometheus/rules.yml").read_text())
    rules = [rule for group in rules["groups"] for rule in group["rules"]]
    dashboards = [json.loads(path.read_text()) for path in Path("deploy/grafana/dashboards").glob("*.json")]
    shown = [
        target["expr"].replace("$__rate_interval", "5m")
        for dashboard in dashboards
        for panel in dashboard["panels"]
        for target in panel.get("targets", [])
    ]
    expressions = [rule["expr"] for rule in rules] + shown
    names_are_documented(expressions, {rule.get("record") for rule in rules})
    words_are_in_the_code(expressions)
    tested = Path("deploy/prometheus/rules.test.yml").read_text()
    for alert in {rule["alert"] for rule in rules if "alert" in rule}:
        if not re.search(rf"alertname: {alert}\n +exp_alerts:\n", tested):
            fail(f"no test of the rules sees {alert} fire")
    if not installed("promtool"):
        return
    run("promtool", "check", "config", "deploy/prometheus/prometheus.yml")
    run("promtool", "test", "rules", "deploy/prometheus/rules.test.yml")
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        records = [{"record": f"shown_{number}", "expr": expression} for number, expression in enumerate(shown)]
        yaml.safe_dump({"groups": [{"name": "shown", "rules": records}]}, file)
        run("promtool", "check", "rules", file.name)


def names_are_documented(expressions, recorded):
    """Every metric and label in the expressions is in the tables of docs/telemetry.md."""
    document = Path("docs/telemetry.md").read_text()
    rows = re.findall(r"^\|.*", document, re.MULTILINE)
    documented = set(re.findall(r"`(\w+)`", "".join(rows)))
    histograms = {name + part for name in documented for part in ("_bucket", "_count", "_sum")}
    known = documented | histograms | recorded | {"histogram_quantile"}
    for expression in expressions:
        names = re.findall(r"[a-z]\w*[_:][\w:]*", re.sub(r'"[^"]*"', "", expression))
        for name in set(names) - known:
            fail(f"{name} is not in docs/telemetry.md")


def words_are_in_the_code(expressions):
    """Every value that the expressions want of a label of ours is a text in the code."""
    code = "".join(path.read_text() for path in Path("crates").glob("*/src/**/*.rs"))
    for expression in expressions:
        for name, values in re.findall(r'(\w+)=~?"([^"$]+)"', expression):
            for value in values.split("|") if name != "job" else ():
                if f'"{value}"' not in code:
                    fail(f"{name} is never {value}")


def unit_is_hardened():
    if not installed("systemd-analyze"):
        return
    # systemd wants the program to be there.
    text = Path("deploy/systemd/fal-mcp-gateway.service").read_text()
    with tempfile.TemporaryDirectory() as folder:
        unit = Path(folder, "fal-mcp-gateway.service")
        unit.write_text(text.replace("/usr/local/bin/fal-mcp-gateway", "/bin/true"))
        run("systemd-analyze", "verify", "--man=no", str(unit))
        run("systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSURE}", str(unit))


def installed(program, required=True):
    if shutil.which(program):
        return True
    if required and os.environ.get("REQUIRE_DEPLOY_TOOLS"):
        fail(f"{program} is not installed")
    skip(program)
    return False


def skip(missing):
    print(f"SKIPPED: {missing} is not there")


def run(*command):
    # The programs of this script's own environment come first.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PATH": path})
    if done.returncode != 0:
        fail(f"{' '.join(command)}\n{done.stdout}{done.stderr}".strip())
    return done.stdout


def fail(problem):
    sys.exit(f"deploy/check: {problem}")


if __name__ == "__main__":
    main()
