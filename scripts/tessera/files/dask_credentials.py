"""Credentials of one command's dask cluster, for its processes on other machines.

All users of a cluster reach a scheduler's port, and who is served there runs code: connections are encrypted, and
nobody is served who cannot read these files.
"""

from pathlib import Path
from typing import Any

from tessera.files.atomic import written_aside

KEY, CERTIFICATE = "key.pem", "certificate.pem"


def write_credentials(folder: Path) -> None:
    """Write new ones, for the owner alone; the certificate comes last."""
    from distributed import Security

    made = Security.temporary()  # type: ignore[no-untyped-call]
    for name, text in ((KEY, made.tls_client_key), (CERTIFICATE, made.tls_client_cert)):
        with written_aside(folder / name) as aside:
            aside.chmod(0o600)
            aside.write_text(text)


def are_written(folder: Path) -> bool:
    """Whether there are credentials in `folder`."""
    return (folder / CERTIFICATE).exists()


def security_of(folder: Path) -> Any:
    """Dask's security by the credentials in `folder`, the same for client, scheduler and workers."""
    from distributed import Security

    key, certificate = str(folder / KEY), str(folder / CERTIFICATE)
    roles = ("client", "scheduler", "worker")
    return Security(  # type: ignore[no-untyped-call]
        require_encryption=True, tls_ca_file=certificate,
        **{f"tls_{role}_key": key for role in roles}, **{f"tls_{role}_cert": certificate for role in roles},
    )  # fmt: skip
