"""Stand-in for the plugin `pulumi-language-python`: runs a Python program for the engine.

The SDK's own language server does the work (the Automation API runs inline programs with
it); this adds the program of an ordinary project and the way its errors are shown. The
engine starts it as `python -m sandbox.pulumi.language ENGINE_ADDRESS`.
"""

# The method names and their arguments are the protocol's.
# ruff: noqa: N802, ARG002

import os
import runpy
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn

import grpc
from google.protobuf.empty_pb2 import Empty  # pyright: ignore[reportAttributeAccessIssue]
from pulumi import RunError
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

from sandbox.pulumi import serving


class LanguageHost(LanguageServer):
    """GetRequiredPackages stays empty, as in the base: the engine loads the provider of each
    resource when it is registered, and does not look for those nobody uses.
    """

    def __init__(self, engine_address: str):
        super().__init__(lambda: None)
        self._engine_address = engine_address

    def Handshake(
        self, request: language_pb2.LanguageHandshakeRequest, context: Any
    ) -> language_pb2.LanguageHandshakeResponse:
        return language_pb2.LanguageHandshakeResponse()

    def Run(self, request: language_pb2.RunRequest, context: Any) -> language_pb2.RunResponse:
        # Where the base looks for the address to log to.
        del request.args[:]
        request.args.append(self._engine_address)
        os.chdir(request.pwd)
        self.program = lambda: run_program(request.info)
        response = super().Run(request, context)
        # The error is on the screen already: bail ends the update without a second one.
        return language_pb2.RunResponse(bail=True) if response.error else response

    def InstallDependencies(
        self, request: language_pb2.InstallDependenciesRequest, context: grpc.ServicerContext
    ) -> NoReturn:
        context.abort(
            grpc.StatusCode.UNIMPLEMENTED,
            "the sandbox's stand-in for Pulumi's Python host installs nothing: `make setup` does",
        )

    def Cancel(self, request: Empty, context: Any) -> Empty:
        return Empty()


def run_program(info: language_pb2.ProgramInfo) -> None:
    """Run a project's program as `__main__`; raises RunError with what went wrong in it."""
    folder = Path(info.program_directory)
    _require_this_python(Path(info.root_directory), dict(info.options))
    program = folder / info.entry_point
    if program.is_dir():
        program /= "__main__.py"
    if not program.is_file():
        raise RunError(f"The project has no program: {program} does not exist.")
    sys.path.insert(0, str(folder))
    sys.argv = [str(program)]
    try:
        runpy.run_path(str(program), run_name="__main__")
    except RunError:
        raise
    except SystemExit as error:
        if error.code not in (None, 0):
            raise RunError(f"Program exited with non-zero exit code: {error.code}") from error
    except Exception as error:
        raise RunError(
            f"Program failed with an unhandled exception:\n{_traceback(error, program)}"
        ) from error


def _require_this_python(root: Path, options: dict) -> None:
    wanted = options.get("virtualenv")
    if wanted and (root / wanted).resolve() != Path(sys.prefix).resolve():
        raise RunError(
            f"The project wants the virtual environment {wanted}, but the sandbox's stand-in for "
            f"Pulumi's Python host runs programs in {sys.prefix} only. Use that one, or install "
            "Pulumi with its own plugins."
        )


def _traceback(error: Exception, program: Path) -> str:
    """The traceback from the program's own first frame on."""
    frames = error.__traceback__
    while frames and frames.tb_frame.f_code.co_filename != str(program):
        frames = frames.tb_next
    return "".join(traceback.format_exception(error.with_traceback(frames or error.__traceback__)))


def serve(engine_address: str) -> None:
    lifetime = serving.Lifetime()
    server = grpc.server(ThreadPoolExecutor(max_workers=4), options=serving.OPTIONS)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(LanguageHost(engine_address), server)
    port = server.add_insecure_port(serving.ADDRESS)
    server.start()
    lifetime.serve(port)
    # A program may still wait for an answer of the engine that is gone: leave without it.
    os._exit(0)


if __name__ == "__main__":
    serve(sys.argv[-1])
