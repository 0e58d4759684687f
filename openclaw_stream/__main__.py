"""`python -m openclaw_stream` is the command `openclaw-stream`."""

from openclaw_stream.cli import main

if __name__ == "__main__":
    main()
