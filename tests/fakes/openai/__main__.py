"""`python -m tests.fakes.openai`: run a stub, print its port, end with the end of input."""

import asyncio
import sys

from tests.fakes.openai.server import Models


async def main() -> None:
    """Run until whoever started it is gone."""
    async with Models() as models:
        sys.stdout.write(f"{models.port}\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


asyncio.run(main())
