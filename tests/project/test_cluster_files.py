"""Files that start training on clusters: what can be checked of them without one."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from roastery.cli.parse import parse_arguments
from roastery.cli.registry import find_command

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "examples" / "cluster"
SLURM = FOLDER / "slurm.sh"

# Fields as published: kubeflow/training-operator, pkg/apis/kubeflow.org/v1/pytorch_types.go and
# common_types.go; kubeflow/trainer, pkg/apis/trainer/v1alpha1/trainjob_types.go and
# trainingruntime_types.go (2.2); sigs.k8s.io/jobset, api/jobset/v1alpha2; Kubernetes' core/v1.
POD = {
    "restartPolicy": str,
    "terminationGracePeriodSeconds": int,
    "containers": [
        {
            "name": str,
            "image": str,
            "workingDir": str,
            "command": [str],
            "args": [str],
            "env": [{"name": str, "value": str}],
            "resources": {"requests": dict, "limits": dict},
            "volumeMounts": [{"name": str, "mountPath": str, "readOnly": bool}],
        }
    ],
    "volumes": [
        {
            "name": str,
            "persistentVolumeClaim": {"claimName": str},
            "emptyDir": {"medium": str, "sizeLimit": str},
        }
    ],
}
METADATA = {"name": str, "labels": dict}
SCHEMAS: dict[str, Any] = {
    "kubeflow.org/v1 PyTorchJob": {
        "nprocPerNode": str,
        "elasticPolicy": {
            "rdzvBackend": str,
            "minReplicas": int,
            "maxReplicas": int,
            "maxRestarts": int,
        },
        "runPolicy": {"cleanPodPolicy": str, "backoffLimit": int},
        "pytorchReplicaSpecs": {
            "Worker": {"replicas": int, "restartPolicy": str, "template": {"spec": POD}}
        },
    },
    "trainer.kubeflow.org/v1alpha1 TrainingRuntime": {
        "mlPolicy": {"numNodes": int, "torch": {}},
        "template": {
            "spec": {
                "failurePolicy": {"maxRestarts": int},
                "replicatedJobs": [
                    {
                        "name": str,
                        "template": {
                            "metadata": METADATA,
                            "spec": {"backoffLimit": int, "template": {"spec": POD}},
                        },
                    }
                ],
            }
        },
    },
    "trainer.kubeflow.org/v1alpha1 TrainJob": {
        "runtimeRef": {"kind": str, "name": str},
        "trainer": {
            "numNodes": int,
            "numProcPerNode": int,
            "image": str,
            "command": [str],
            "env": [{"name": str, "value": str}],
            "resourcesPerNode": {"requests": dict, "limits": dict},
        },
    },
}


def documents() -> list[dict[str, Any]]:
    yaml = pytest.importorskip("yaml", reason="MkDocs brings it")
    files = sorted(FOLDER.glob("*.yaml"))
    assert len(files) == 2
    return [one for path in files for one in yaml.safe_load_all(path.read_text("utf-8"))]


def check(value: Any, schema: Any, place: str) -> None:
    """Fields that are known, of their types."""
    if isinstance(schema, dict):
        assert isinstance(value, dict), place
        for name, inner in value.items():
            assert name in schema, f"{place}.{name}"
            check(inner, schema[name], f"{place}.{name}")
    elif isinstance(schema, list):
        assert isinstance(value, list) and value, place
        for number, inner in enumerate(value):
            check(inner, schema[0], f"{place}[{number}]")
    else:
        assert type(value) is schema, f"{place}: {value!r}"


def test_fields_are_those_of_the_definitions() -> None:
    found = documents()
    assert {f"{one['apiVersion']} {one['kind']}" for one in found} == set(SCHEMAS)
    for one in found:
        assert set(one) == {"apiVersion", "kind", "metadata", "spec"}
        check(one["metadata"], METADATA, "metadata")
        check(one["spec"], SCHEMAS[f"{one['apiVersion']} {one['kind']}"], one["kind"])


def pods(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return [pod for inner in value for pod in pods(inner)]
    if not isinstance(value, dict):
        return []
    own = [value] if "containers" in value else []
    return own + [pod for inner in value.values() for pod in pods(inner)]


def test_volumes_are_there_and_snapshots_have_time() -> None:
    text = "\n".join(path.read_text("utf-8") for path in FOLDER.glob("*.yaml"))
    (waits,) = {int(n) for n in re.findall(r'SHUTDOWN_TIMEOUT\n\s+value: "(\d+)"', text)}
    found = pods(documents())
    assert len(found) == 2
    for pod in found:
        volumes = {volume["name"] for volume in pod["volumes"]}
        assert pod["terminationGracePeriodSeconds"] > waits
        for container in pod["containers"]:
            assert {mount["name"] for mount in container["volumeMounts"]} == volumes


def test_a_job_names_its_runtime() -> None:
    named = {one["kind"]: one for one in documents()}
    job, runtime = named["TrainJob"], named["TrainingRuntime"]
    assert job["spec"]["runtimeRef"] == {"kind": "TrainingRuntime", "name": "roastery"}
    assert runtime["metadata"]["name"] == "roastery"
    (replicated,) = runtime["spec"]["template"]["spec"]["replicatedJobs"]
    labels = replicated["template"]["metadata"]["labels"]
    assert labels == {"trainer.kubeflow.org/trainjob-ancestor-step": "trainer"}
    assert replicated["name"] == "node"


def commands() -> list[list[str]]:
    """All of torchrun."""
    found = []
    for one in documents():
        spec = one["spec"]
        if one["kind"] == "TrainJob":
            found.append(spec["trainer"]["command"])
        found += [c["command"] for pod in pods(spec) for c in pod["containers"] if "command" in c]
    script = SLURM.read_text("utf-8").replace("\\\n", " ")
    (line,) = re.findall(r"^srun .*$", script, re.MULTILINE)
    found.append(shlex.split(line.removesuffix("&"))[2:])
    return found


def test_commands_are_understood() -> None:
    assert len(commands()) == 3
    for words in commands():
        place = words.index("-m")
        assert words[0] == "torchrun" and words[place : place + 3] == ["-m", "roastery", "train"]
        arguments = parse_arguments(find_command("train"), words[place + 3 :])
        assert arguments.snapshot == "auto" and arguments.device == "cuda"


def test_torchrun_knows_its_flags() -> None:
    run = pytest.importorskip("torch.distributed.run", reason="torch is not installed")
    for words in commands():
        flags = [word.replace("$SLURM_JOB_NUM_NODES", "4") for word in words[1:]]
        given = run.get_args_parser().parse_args(flags)
        assert given.training_script == "roastery" and given.module


def test_the_script_is_one() -> None:
    bash = shutil.which("bash")
    assert bash is not None
    subprocess.run([bash, "-n", SLURM], check=True)
    if shellcheck := shutil.which("shellcheck"):
        subprocess.run([shellcheck, SLURM], check=True)
    text = SLURM.read_text("utf-8")
    before, after = (
        int(re.search(pattern, text)[1])  # type: ignore[index]
        for pattern in (r"--signal=B:TERM@(\d+)", r"SHUTDOWN_TIMEOUT=(\d+)")
    )
    assert before > after
    for option in ("--requeue", "--ntasks-per-node=1", "--open-mode=append"):
        assert f"#SBATCH {option}\n" in text
