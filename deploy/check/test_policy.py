"""Every rule of the policy fires: the production manifests, spoilt in one place each."""

import copy
import unittest

import check
import policy

# Which manifest, where in it, what is put there (None: nothing), and what must be found.
SPOILT = [
    ("Deployment", "template.spec.automountServiceAccountToken", None, "it gets a token of Kubernetes"),
    ("Deployment", "template.spec.hostNetwork", True, "it shares hostNetwork"),
    ("Deployment", "template.spec.volumes", [{"name": "a", "hostPath": {"path": "/"}}], "it mounts a folder of the node"),
    ("Deployment", "template.spec.securityContext.runAsNonRoot", None, "it may run as root"),
    ("Deployment", "template.spec.securityContext.runAsUser", 0, "it may run as root"),
    ("Deployment", "template.spec.securityContext.seccompProfile", None, "it may make any system call"),
    ("Deployment", "template.spec.containers.0.securityContext.privileged", True, "it is privileged"),
    ("Deployment", "template.spec.containers.0.securityContext.allowPrivilegeEscalation", None, "it may gain privileges"),
    ("Deployment", "template.spec.containers.0.securityContext.readOnlyRootFilesystem", None, "it may write to its root"),
    ("Deployment", "template.spec.containers.0.securityContext.capabilities", None, "it has capabilities"),
    ("Deployment", "template.spec.containers.0.resources.limits", None, "it has no limits.memory"),
    ("Deployment", "template.spec.containers.0.resources.requests.cpu", None, "it has no requests.cpu"),
    ("Deployment", "template.spec.containers.0.resources.requests.memory", None, "it has no requests.memory"),
    ("Deployment", "template.spec.containers.0.livenessProbe", None, "it has no livenessProbe"),
    ("Deployment", "template.spec.containers.0.readinessProbe", None, "it has no readinessProbe"),
    ("Deployment", "template.spec.containers.0.image", "a:5000/gateway:latest", "its image has no version"),
    ("Deployment", "template.spec.containers.0.env", [{"name": "FAL_KEY"}], "FAL_KEY looks like a secret"),
    ("Deployment", "template.spec.terminationGracePeriodSeconds", 45, "pods are killed before the 45 s"),
    ("Deployment", "template.metadata.labels", {"a": "b"}, "it selects no pod"),
    ("Deployment", "template.metadata.labels", {"a": "b"}, "no NetworkPolicy is for the pods with"),
    ("Service", "sessionAffinity", "ClientIP", "sessions stick to a replica"),
    ("HTTPRoute", "rules.0.sessionPersistence", {"type": "Cookie"}, "sessions stick to a replica"),
    ("HTTPRoute", "rules.0.retry", {"attempts": 2}, "a request may be sent twice"),
    ("HTTPRoute", "rules.0.timeouts.request", "60s", "a call of 300 s is cut by timeouts.request"),
    ("HTTPRoute", "rules.0.timeouts.backendRequest", None, "a call of 300 s is cut by timeouts.backendRequest"),
    ("HTTPRoute", "rules.0.backendRefs.0.port", 81, "HTTPRoute: its backend does not exist"),
    ("Ingress", "rules.0.http.paths.0.backend.service.name", "other", "Ingress: its backend does not exist"),
    ("ServiceMonitor", "endpoints.0.port", "admin", "its port does not exist"),
    ("HorizontalPodAutoscaler", "scaleTargetRef.name", "other", "its target does not exist"),
    ("NetworkPolicy", "policyTypes", ["Ingress"], "it does not close both directions"),
    ("NetworkPolicy", "egress.0.to.0.podSelector.matchLabels.a", "b", "port 53 does not lead to the cluster's DNS"),
    ("NetworkPolicy", "egress.1.to.0.ipBlock.except", None, "port 443 leads to more than the internet"),
]


class Policy(unittest.TestCase):
    def test_every_rule_fires_on_manifests_that_are_spoilt_in_one_place(self):
        good = check.rendered("production")
        self.assertEqual(policy.problems(good), [])
        for kind, place, value, expected in SPOILT:
            manifests = copy.deepcopy(good)
            parent = next(manifest for manifest in manifests if manifest["kind"] == kind)["spec"]
            *path, last = [int(step) if step.isdigit() else step for step in place.split(".")]
            for step in path:
                parent = parent[step]
            if value is None:
                del parent[last]
            else:
                parent[last] = value
            found = policy.problems(manifests)
            self.assertTrue(any(expected in problem for problem in found), f"{place}: {found}")

    def test_a_secret_and_sticky_annotations_are_found(self):
        good = check.rendered("production")
        secret = {"kind": "Secret", "metadata": {"name": "a"}}
        sticky = {"kind": "Ingress", "metadata": {"name": "b", "annotations": {"x/affinity": "cookie"}}}
        sticky["spec"] = {"rules": []}
        self.assertEqual(
            policy.problems([*good, secret, sticky]),
            ["Secret a: the gateway has no secrets", "Ingress b: sessions stick to a replica"],
        )


if __name__ == "__main__":
    unittest.main()
