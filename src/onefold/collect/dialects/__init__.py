"""The wire formats that the intake understands, one file each."""
