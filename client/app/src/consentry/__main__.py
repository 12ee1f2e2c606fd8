"""``python -m consentry`` is the command line."""

from consentry.cli.main import main

if __name__ == "__main__":
    main()
