"""`python -m sandbox.load --target URL --host HOST=RATE … --state FILE`: run until SIGTERM."""

import asyncio
import signal
import sys

from sandbox.load.generator import Generator
from sandbox.load.options import Options, parse


async def run(options: Options) -> None:
    generator = Generator(options.target, options.rates, options.path, options.state)
    task = asyncio.create_task(generator.run())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()  # it never returns: raises what ended it


if __name__ == "__main__":
    asyncio.run(run(parse(sys.argv[1:])))
