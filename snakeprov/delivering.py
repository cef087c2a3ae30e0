"""The former name of `snakeprov.apps.worker`, for what has not moved over yet."""

from snakeprov.apps.worker import main

if __name__ == "__main__":
    main()
