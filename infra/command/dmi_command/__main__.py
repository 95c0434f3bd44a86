"""``python -m dmi_command`` is the ``dmi`` command."""

from dmi_command.cli import main

if __name__ == "__main__":
    main()
