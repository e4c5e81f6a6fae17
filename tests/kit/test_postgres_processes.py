"""Which processes belong to a cluster."""

import os
import shlex
import sys
from pathlib import Path

import pytest

from kit.postgres.processes import belongs, commands_by_ps, label_of, postgres_processes

LABEL = "graphmark-fe01-1f"


@pytest.mark.parametrize(
    ("command", "ours"),
    [
        (f"/opt/my app/bin/postgres -D /data/pg -k /data/run -h  -c jit=off -c cluster_name={LABEL}", True),
        (f"postgres: {LABEL}: checkpointer", True),
        (f"postgres: {LABEL}: postgres scratch [local] idle", True),
        (f"postgres: {LABEL}: ", True),
        (f"/bin/postgres -D /data/pg -c cluster_name={LABEL}0", False),
        (f"postgres: {LABEL}0: checkpointer", False),
        ("postgres: checkpointer", False),
        ("/usr/lib/postgresql/18/bin/postgres -D /var/lib/postgresql/18/main", False),
        (f"grep cluster_name={LABEL}", False),
        ("", False),
    ],
)
def test_a_command_line_belongs_to_one_cluster(command: str, *, ours: bool) -> None:
    assert belongs(command, LABEL) is ours


def test_a_moved_folder_keeps_its_label_and_a_copied_one_gets_its_own(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    label = label_of(tmp_path / "one")
    (tmp_path / "two").mkdir()
    assert label_of(tmp_path / "two") != label
    (tmp_path / "one").rename(tmp_path / "moved")
    assert label_of(tmp_path / "moved") == label


def test_nothing_runs_for_a_label_that_nobody_carries() -> None:
    assert postgres_processes("graphmark-0-0") == []


@pytest.mark.skipif(not Path("/bin/ps").exists(), reason="no /bin/ps here")
def test_ps_lists_this_process_with_its_arguments() -> None:
    command = dict(commands_by_ps())[os.getpid()]
    assert Path(shlex.split(command)[0]).name.startswith(("python", "pytest", Path(sys.executable).name))
