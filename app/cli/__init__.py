"""The command line: `graphmark COMMAND`, also `python -m app COMMAND`.

Exit codes: 0 done, 1 failed, 2 wrong usage (an unknown option, a setting that cannot be understood), 3 unavailable
(something needed is away, in use, or too new). Whatever can be expected to fail says so in one line on stderr.
"""

import sys
from importlib import import_module
from importlib.util import find_spec

import click

from app.cli.lifeline import end_with
from kit.errors import GraphmarkError, RateLimited, Unavailable

FAILED, USAGE, UNAVAILABLE = 1, 2, 3

# Name, module, attribute in it, help. Modules are imported when their command is called: `--help` and `schema`
# should not wait for the rest.
COMMANDS = {
    "serve": ("app.cli.serve", "serve", "Run everything here: PostgreSQL, API, worker, scheduler."),
    "api": ("app.cli.api", "api", "Run the API alone."),
    "worker": ("app.cli.work", "worker", "Run a worker alone."),
    "scheduler": ("app.cli.work", "scheduler", "Run the scheduler alone."),
    "migrate": ("app.cli.migrate", "migrate", "Bring the database to the schema of this version."),
    "audit": ("app.cli.audit", "audit_log", "Check, copy and cut the audit log."),
    "user": ("app.cli.user", "user", "Open accounts."),
    "import": ("app.cli.imports", "import_file", "Import a file of bookmarks."),
    "search": ("app.cli.search", "search", "Search somebody's bookmarks."),
    "schema": ("app.cli.schema", "schema", "Print the GraphQL schema."),
    "doctor": ("app.cli.doctor", "doctor", "Check every dependency and setting."),
    "seed": ("app.cli.seed", "seed", "Make up an account full of bookmarks."),
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports one only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """Return the commands that are installed, in the order of the table."""
        return [name for name, (module, _, _) in COMMANDS.items() if find_spec(module) is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command, or return None, which click reports as wrong usage."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list from the table, importing nothing."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][2]) for name in self.list_commands(ctx)])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="graphmark", prog_name="graphmark")
@click.option("--lifeline", type=int, hidden=True, help="File descriptor whose end of file ends this process.")
def graphmark(lifeline: int | None) -> None:
    """Graphmark: your bookmarks as one live GraphQL graph.

    Settings come from the environment, prefix GRAPHMARK_; docs/configuration.md lists them.
    """
    if lifeline is not None:
        end_with(lifeline)


def main() -> None:
    """Run the command line and leave with its exit code."""
    try:
        code = graphmark.main(prog_name="graphmark", standalone_mode=False)
    except click.exceptions.Abort:
        code = FAILED  # Ctrl-C or the end of input at a prompt
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except GraphmarkError as error:
        click.echo(f"graphmark: {error.message}", err=True)
        code = UNAVAILABLE if isinstance(error, Unavailable | RateLimited) else FAILED
    except BrokenPipeError:
        sys.stderr.close()  # the reader of a pipe has left; so that Python does not complain at exit
        code = FAILED
    except ConnectionError as error:
        click.echo(f"graphmark: The connection was lost: {error.strerror or error}.", err=True)
        code = UNAVAILABLE
    sys.exit(code or 0)
