"""Certificates made for a test."""

from __future__ import annotations

import subprocess
from pathlib import Path

__all__ = ["make_authority", "make_certificate"]

KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")


def make_authority(folder: Path, name: str = "ca") -> Path:
    """Make an authority, `name.pem` and `name.key`, and return its certificate."""
    _openssl(folder, "req", "-x509", *KEY, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN={name}")
    return folder / f"{name}.pem"


def make_certificate(
    folder: Path, name: str, *, authority: str = "ca", names: str = "", days: int = 2
) -> tuple[Path, Path]:
    """Make a certificate and its key, signed by an authority; it is for `name.example`, or for other `names`."""
    (folder / "names").write_text(f"subjectAltName={names or f'DNS:{name}.example'}\nbasicConstraints=CA:FALSE\n")
    _openssl(folder, "req", *KEY, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}.example")
    _openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.pem", "-CAkey", f"{authority}.key",
             "-CAcreateserial", "-days", str(days), "-extfile", "names", "-out", f"{name}.pem")  # fmt: skip
    return folder / f"{name}.pem", folder / f"{name}.key"


def _openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
