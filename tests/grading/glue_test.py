# Makes the glue, reads each of its files as its receiver would, and runs the commands of those that grade in
# parts by hand: three parts of a small class, and the merge. Engines are not needed.
#
#   python3 glue_test.py build/kit-grade . WORK cmake

import os
import pathlib
import re
import shutil
import subprocess
import sys

try:
    import yaml
except ImportError:
    print("NOT RUN: Python has no yaml")
    sys.exit(0)

grade, source, work = (pathlib.Path(word).resolve() for word in sys.argv[1:4])
cmake = sys.argv[4]
glue = work / "glue"
parts = 3


def expect(condition, otherwise):
    if not condition:
        sys.exit(otherwise)


def is_shell(text, name):
    text = re.sub(r"\$\{\{.*?\}\}", "word", text)
    result = subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True)
    expect(result.returncode == 0, f"{name}: {result.stderr}\n{text}")


# ---- what each file is ---------------------------------------------------------------------------


def read_github(file):
    workflow = yaml.safe_load(file.read_text())
    expect(workflow.get(True), f"{file}: no `on`")  # YAML 1.1 reads "on" so
    for name, job in workflow["jobs"].items():
        expect("runs-on" in job, f"{file}: {name} runs on nothing")
        needed = job.get("needs", [])
        for other in [needed] if isinstance(needed, str) else needed:
            expect(other in workflow["jobs"], f"{file}: {name} needs {other}")
        for step in job["steps"]:
            expect(("uses" in step) != ("run" in step), f"{file}: {step} neither uses nor runs")
            is_shell(step.get("run", ""), f"{file}: {name}")
    return workflow


def read_gitlab(file):
    pipeline = yaml.safe_load(file.read_text())
    for name, job in pipeline.items():
        if name in ("stages", "variables"):
            continue
        if "extends" in job:
            expect(job["extends"] in pipeline, f"{file}: {name} extends {job['extends']}")
        if "stage" in job:
            expect(job["stage"] in pipeline["stages"], f"{file}: stage {job['stage']}")
        lines = job.get("before_script", []) + job.get("script", [])
        expect(all(isinstance(line, str) for line in lines), f"{file}: {lines}")
        expect(name.startswith(".") or "script" in job, f"{file}: {name} has no script")
        is_shell("\n".join(lines), f"{file}: {name}")
    return pipeline


def read_kubernetes(file):
    jobs = list(yaml.safe_load_all(file.read_text()))
    for job in jobs:
        expect((job["apiVersion"], job["kind"]) == ("batch/v1", "Job"), f"{file}: {job['kind']}")
        pod = job["spec"]["template"]["spec"]
        expect(pod["restartPolicy"] in ("Never", "OnFailure"), f"{file}: {pod['restartPolicy']}")
        volumes = [volume["name"] for volume in pod["volumes"]]
        for container in pod["containers"]:
            for variable in container["env"]:
                expect(isinstance(variable["value"], str), f"{file}: {variable} is no text")
            for mount in container["volumeMounts"]:
                expect(mount["name"] in volumes, f"{file}: no volume {mount['name']}")
            is_shell(container["args"][0], file)
    return jobs


# ---- by hand -------------------------------------------------------------------------------------


def make_class(folder):
    for name in ("anna", "ben", "cleo", "dora"):
        shutil.copytree(source / "solutions" / "01_tcp_echo",
                        folder / name / "lessons" / "01_tcp_echo")
    (folder / "ben" / "lessons" / "01_tcp_echo" / "client.cpp").unlink()


def run(text, folder, **variables):
    """A block of commands: the kit is built, nothing is installed, root is who we are."""
    tools = work / "tools"
    tools.mkdir(exist_ok=True)
    for name, does in (("sudo", 'exec "$@"'), ("apt-get", "exit 0"), ("cmake", "exit 0"),
                       ("chown", "exit 0")):
        (tools / name).write_text(f"#!/bin/sh\n{does}\n")
        (tools / name).chmod(0o755)
    build = folder / "kit" / "build"
    if not build.exists():
        build.mkdir(parents=True)
        (build / "kit-grade").symlink_to(grade)
    environment = dict(os.environ, PATH=f"{tools}:{os.environ['PATH']}", USER="somebody", **variables)
    result = subprocess.run(["bash", "-eo", "pipefail", "-c", text], cwd=folder, env=environment,
                            capture_output=True, text=True)
    return result.returncode, result.stdout + result.stderr


def points(file):
    return [line.split(",")[:2] for line in file.read_text().splitlines()[1:]]


def expect_graded(engine, ended, grades):
    expect(ended[0] in (0, 1), f"{engine}: the merge ended with {ended[0]}\n{ended[1]}")
    names = [name for name, _ in points(grades / "class.csv")]
    expect(sorted(names) == ["anna", "ben", "cleo", "dora"], f"{engine}: graded are {names}\n{ended[1]}")
    print(f"{engine}: {parts} parts and the merge, 4 of 4 graded")


def by_github(workflow, folder):
    make_class(folder / "submissions" / "class")
    step = [one for one in workflow["jobs"]["part"]["steps"] if one.get("name") == "Grade a part"][0]
    for index in range(parts):
        status, said = run(step["run"], folder, PART=f"{index}/{parts}", SEED="5", LESSONS=lessons)
        expect(status == 0, f"GitHub: part {index}: {status}\n{said}")
    (folder / "parts").mkdir()
    for part in folder.glob("part-*"):
        part.rename(folder / "parts" / part.name)
    step = [one for one in workflow["jobs"]["merge"]["steps"] if one.get("name") == "Join the parts"][0]
    ended = run(step["run"], folder, GITHUB_STEP_SUMMARY=str(folder / "summary.md"))
    expect((folder / "summary.md").read_text(), "GitHub: no summary")
    expect_graded("GitHub", ended, folder / "grades")


def by_gitlab(pipeline, folder):
    make_class(folder / "class")
    here = lambda lines: "\n".join(lines).replace("/kit/", "kit/")
    for index in range(1, parts + 1):
        status, said = run(here(pipeline["part"]["script"]), folder, CI_NODE_INDEX=str(index),
                           CI_NODE_TOTAL=str(parts), KIT_SEED="5", LESSONS=lessons)
        expect(status == 0, f"GitLab: part {index}: {status}\n{said}")
    expect_graded("GitLab", run(here(pipeline["merge"]["script"]), folder), folder / "grades")


def by_kubernetes(jobs, folder):
    make_class(folder / "data" / "class")
    here = lambda job: job["spec"]["template"]["spec"]["containers"][0]["args"][0].replace(
        "/kit/", "kit/").replace("/data/", "data/")
    for index in range(parts):
        status, said = run(here(jobs[0]), folder, JOB_COMPLETION_INDEX=str(index), PARTS=str(parts),
                           KIT_SEED="5", OPTIONS=lessons)
        expect(status == 0, f"Kubernetes: part {index}: {status}\n{said}")
    expect_graded("Kubernetes", run(here(jobs[1]), folder, PARTS=str(parts)), folder / "data" / "grades")


lessons = "--lesson 01 --step 01.1"
shutil.rmtree(work, ignore_errors=True)
work.mkdir(parents=True)
subprocess.run([cmake, f"-DSOURCE={source}", f"-DOUT={glue}", "-P", source / "tests/cmake/glue.cmake"],
               check=True, capture_output=True)
for file in glue.rglob("*"):
    if file.is_file() and file.read_bytes()[:20].startswith(b"#!/usr/bin/env bash"):
        is_shell(file.read_text(), file)
read_github(glue / "github" / ".github" / "workflows" / "classroom.yml")
read_gitlab(glue / "gitlab" / ".gitlab-ci.yml")
engines = ((by_github, read_github, "github"), (by_gitlab, read_gitlab, "gitlab"),
           (by_kubernetes, read_kubernetes, "kubernetes"))
for by_hand, read, name in engines:
    (work / name).mkdir()
    by_hand(read(glue / "shards" / f"{name}.yml"), work / name)
shutil.rmtree(work)
