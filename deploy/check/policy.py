"""What must hold of the Kubernetes manifests beyond their schemas. Each rule names what it found, in words."""

import re

# How long the last telemetry may take to go out, in seconds (docs/telemetry.md).
LAST_EXPORT = 5


def problems(manifests):
    """All that is wrong with the manifests of one overlay, a sentence each."""
    found = []
    for manifest in manifests:
        name = f"{manifest['kind']} {manifest['metadata']['name']}"
        found += [f"{name}: {problem}" for problem in of_one(manifest)]
    return found + list(of_all(manifests))


def of_one(manifest):
    kind, spec = manifest["kind"], manifest.get("spec", {})
    if kind == "Deployment":
        yield from of_pod(spec["template"]["spec"])
    if kind == "Secret":
        yield "the gateway has no secrets"
    if kind == "Service" and spec.get("sessionAffinity", "None") != "None":
        yield "sessions stick to a replica"
    if any("affinity" in annotation for annotation in manifest["metadata"].get("annotations", {})):
        yield "sessions stick to a replica"
    if kind == "HTTPRoute":
        for rule in spec["rules"]:
            if "sessionPersistence" in rule:
                yield "sessions stick to a replica"
            if "retry" in rule:
                yield "a request may be sent twice"
            for timeout in ("request", "backendRequest"):
                if seconds(rule.get("timeouts", {}).get(timeout, "0s")) <= 300:
                    yield f"a call of 300 s is cut by timeouts.{timeout}"
    if kind == "NetworkPolicy" and set(spec.get("policyTypes", [])) != {"Ingress", "Egress"}:
        yield "it does not close both directions"
    if kind == "NetworkPolicy":
        for peer in peers(spec, 53):
            if peer.get("podSelector", {}).get("matchLabels") != {"k8s-app": "kube-dns"}:
                yield "port 53 does not lead to the cluster's DNS"
        for peer in peers(spec, 443):
            cidr = peer.get("ipBlock", {})
            if cidr.get("cidr") not in ("0.0.0.0/0", "::/0") or not cidr.get("except"):
                yield "port 443 leads to more than the internet"


def of_pod(pod):
    if pod.get("automountServiceAccountToken") is not False:
        yield "it gets a token of Kubernetes"
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(field):
            yield f"it shares {field}"
    if any("hostPath" in volume for volume in pod.get("volumes", [])):
        yield "it mounts a folder of the node"
    security = pod.get("securityContext", {})
    if security.get("runAsNonRoot") is not True or not security.get("runAsUser"):
        yield "it may run as root"
    if security.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield "it may make any system call"
    for container in pod["containers"] + pod.get("initContainers", []):
        yield from of_container(container)


def of_container(container):
    security = container.get("securityContext", {})
    if security.get("privileged"):
        yield "it is privileged"
    if security.get("allowPrivilegeEscalation") is not False:
        yield "it may gain privileges"
    if security.get("readOnlyRootFilesystem") is not True:
        yield "it may write to its root"
    if security.get("capabilities") != {"drop": ["ALL"]}:
        yield "it has capabilities"
    resources = container.get("resources", {})
    for needed in (("requests", "cpu"), ("requests", "memory"), ("limits", "memory")):
        if needed[1] not in resources.get(needed[0], {}):
            yield f"it has no {'.'.join(needed)}"
    for probe in ("livenessProbe", "readinessProbe"):
        if probe not in container:
            yield f"it has no {probe}"
    tag = container["image"].rpartition("/")[2].partition(":")[2]
    if tag in ("", "latest"):
        yield "its image has no version"
    for variable in container.get("env", []):
        if re.search("KEY|SECRET|TOKEN|PASSWORD", variable["name"]):
            yield f"{variable['name']} looks like a secret"


def of_all(manifests):
    """What one manifest says of another."""
    by_kind = {}
    for manifest in manifests:
        by_kind.setdefault(manifest["kind"], []).append(manifest)
    pods = [deployment["spec"]["template"] for deployment in by_kind["Deployment"]]

    def selected(selector):
        return [pod for pod in pods if selector.items() <= pod["metadata"]["labels"].items()]

    for kind in ("Service", "PodDisruptionBudget", "NetworkPolicy"):
        for manifest in by_kind.get(kind, []):
            spec = manifest["spec"]
            selector = spec.get("podSelector", spec.get("selector"))
            if not selected(selector.get("matchLabels", selector)):
                yield f"{kind} {manifest['metadata']['name']}: it selects no pod"
    for pod in pods:
        policies = by_kind.get("NetworkPolicy", [])
        selectors = [policy["spec"]["podSelector"].get("matchLabels", {}) for policy in policies]
        if not any(pod in selected(selector) for selector in selectors):
            yield f"no NetworkPolicy is for the pods with {pod['metadata']['labels']}"
    deployments = [deployment["metadata"]["name"] for deployment in by_kind["Deployment"]]
    for scaler in by_kind.get("HorizontalPodAutoscaler", []):
        if scaler["spec"]["scaleTargetRef"]["name"] not in deployments:
            yield "HorizontalPodAutoscaler: its target does not exist"
    ports = {
        (service["metadata"]["name"], port): port
        for service in by_kind["Service"]
        for declared in service["spec"]["ports"]
        for port in (declared["port"], declared["name"])
    }
    for route in by_kind.get("HTTPRoute", []):
        for backend in (backend for rule in route["spec"]["rules"] for backend in rule["backendRefs"]):
            if (backend["name"], backend["port"]) not in ports:
                yield "HTTPRoute: its backend does not exist"
    for ingress in by_kind.get("Ingress", []):
        for path in (path for rule in ingress["spec"]["rules"] for path in rule["http"]["paths"]):
            backend = path["backend"]["service"]
            if (backend["name"], backend["port"]["name"]) not in ports:
                yield "Ingress: its backend does not exist"
    for monitor in by_kind.get("ServiceMonitor", []):
        if not {endpoint["port"] for endpoint in monitor["spec"]["endpoints"]} <= set(ports.values()):
            yield "ServiceMonitor: its port does not exist"
    for settings in (settings["data"] for settings in by_kind.get("ConfigMap", [])):
        pace = ("FAL_MCP_SHUTDOWN_NOTICE_SECONDS", "FAL_MCP_SHUTDOWN_GRACE_SECONDS")
        needed = sum(int(settings[name]) for name in pace) + LAST_EXPORT
        gateway = next(pod["spec"] for pod in pods if "envFrom" in pod["spec"]["containers"][0])
        if gateway.get("terminationGracePeriodSeconds", 30) <= needed:
            yield f"pods are killed before the {needed} s of their orderly end are over"


def peers(policy, port):
    """Where a policy lets traffic to a port go."""
    for rule in policy.get("egress", []):
        if any(allowed.get("port") == port for allowed in rule.get("ports", [])):
            yield from rule["to"]


def seconds(duration):
    number, unit = re.fullmatch(r"(\d+)(s|m)", duration).groups()
    return int(number) * (60 if unit == "m" else 1)
