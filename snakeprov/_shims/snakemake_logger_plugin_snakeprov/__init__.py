"""Lets Snakemake find snakeprov as a logger plugin. Imported on every call of `snakemake`: loads nothing by itself."""


def __getattr__(name: str) -> object:
    if name in ("LogHandler", "LogHandlerSettings"):
        from snakeprov.plugin import logger

        return getattr(logger, name)
    raise AttributeError(name)
