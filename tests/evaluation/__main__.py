"""`python -m tests.evaluation`."""

from tests.evaluation.cli import app

if __name__ == "__main__":
    app(prog_name="python -m tests.evaluation")
