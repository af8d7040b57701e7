"""Computes the checksums of an object with tools that share no code with directput: hashlib and base64.

Usage: oracle.py FILE PART_BYTES. Prints one line of JSON with the SHA-256 in hex and in Base64, and the composite
checksum of parts of PART_BYTES bytes.
"""

import base64
import hashlib
import json
import sys


def main() -> None:
    path, part_bytes = sys.argv[1], int(sys.argv[2])
    whole, digests = hashlib.sha256(), []
    with open(path, "rb") as file:
        while part := file.read(part_bytes):
            whole.update(part)
            digests.append(hashlib.sha256(part).digest())
    composite = base64.b64encode(hashlib.sha256(b"".join(digests)).digest()).decode()
    print(json.dumps({
        "hex": whole.hexdigest(),
        "base64": base64.b64encode(whole.digest()).decode(),
        "composite": f"{composite}-{len(digests)}",
    }))


main()
