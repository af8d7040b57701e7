"""What `make deploy`, `make destroy`, `make rotate` and `make revoke` do with a stack beside SAM, by the boto3 that SAM brings along.

    stack.py config STAGE     writes www/config.json from the stack's outputs
    stack.py site STAGE       uploads www and the package to the stack's site, if it has one
    stack.py rotate STAGE     makes a new token key; the one before stays good until the next rotation
    stack.py revoke STAGE     makes two new token keys: all uploads that are open end
    stack.py clear STAGE      empties the site's bucket, so that the stack can be removed
"""

import json
import mimetypes
import secrets
import string
import sys
import time
from pathlib import Path

import boto3

ROOT = Path(__file__).resolve().parents[1]
# Pages ask again whether these have changed; all else is small enough to be asked for as well.
CACHE = "no-cache"
# The Python of a bare Debian doesn't know all of them.
TYPES = {".js": "text/javascript", ".map": "application/json", ".wasm": "application/wasm", ".json": "application/json"}
# Tokens live for seven days, and the key before the newest still opens them.
ROTATION_DAYS = 7
KEY_LETTERS = string.ascii_letters + string.digits


def stack_of(stage: str) -> dict:
    """The stack's outputs by name."""
    described = boto3.client("cloudformation").describe_stacks(StackName=f"directput-{stage}")
    return {output["OutputKey"]: output["OutputValue"] for output in described["Stacks"][0].get("Outputs", [])}


def config(outputs: dict) -> None:
    """The page is told where the API is, and where the bucket will be."""
    # Behind CloudFront page and API have one address.
    endpoint = "/uploads" if "SiteUrl" in outputs else outputs["Endpoint"]
    text = json.dumps({"endpoint": endpoint, "preconnect": outputs["BucketUrl"]}, indent=2)
    (ROOT / "www/config.json").write_text(text + "\n")
    print(f"www/config.json: {endpoint}")


def site_files() -> dict[str, Path]:
    """The site's files by their keys: the page, and the package below directput/."""
    if not (ROOT / "pkg/index.js").exists():
        sys.exit("pkg/ is missing: run `make package`")
    folders = {"": ROOT / "www", "directput/": ROOT / "pkg"}
    return {
        prefix + path.relative_to(folder).as_posix(): path
        for prefix, folder in folders.items()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def content_type(path: Path) -> str:
    return TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def site(outputs: dict) -> None:
    """Uploads what there is, removes what there was, and has CloudFront forget it."""
    if "SiteBucketName" not in outputs:
        print("the stack has no site (parameter DeploySite)")
        return
    bucket = boto3.resource("s3").Bucket(outputs["SiteBucketName"])
    files = site_files()
    for key, path in files.items():
        arguments = {"ContentType": content_type(path), "CacheControl": CACHE}
        bucket.upload_file(str(path), key, ExtraArgs=arguments)
    for item in bucket.objects.all():
        if item.key not in files:
            item.delete()
    batch = {"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": str(time.time_ns())}
    boto3.client("cloudfront").create_invalidation(DistributionId=outputs["SiteId"], InvalidationBatch=batch)
    print(f"{len(files)} files at {outputs['SiteUrl']}")


def rotate(outputs: dict) -> None:
    """Makes a new key, unless tokens of the key before the newest could still be about."""
    client = boto3.client("secretsmanager")
    secret = outputs["TokenSecretArn"]
    stages = client.describe_secret(SecretId=secret)["VersionIdsToStages"]
    if any("AWSPREVIOUS" in names for names in stages.values()):
        made = client.get_secret_value(SecretId=secret, VersionStage="AWSCURRENT")["CreatedDate"].timestamp()
        days = (time.time() - made) / 86_400
        if days < ROTATION_DAYS:
            sys.exit(f"the key is {days:.1f} days old: uploads that were begun by the one before may still be open")
    put_key(client, secret)
    print("the token key is new; the one before opens tokens until the next rotation")


def put_key(client, secret: str) -> None:
    # Secrets Manager makes the newest version AWSCURRENT, and the one before it AWSPREVIOUS.
    key = "".join(secrets.choice(KEY_LETTERS) for _ in range(64))
    client.put_secret_value(SecretId=secret, SecretString=key)


def revoke(outputs: dict) -> None:
    """Makes two new keys, so that no key opens a token that is about."""
    client = boto3.client("secretsmanager")
    for _ in range(2):
        put_key(client, outputs["TokenSecretArn"])
    print("no token of before is good: instances of the function learn it within 5 minutes, and URLs live 10 at most")


def clear(outputs: dict) -> None:
    """Empties the site's bucket. The bucket of the uploads is left alone, here and by the template."""
    if "SiteBucketName" in outputs:
        boto3.resource("s3").Bucket(outputs["SiteBucketName"]).objects.all().delete()
    print(f"the bucket {outputs['BucketName']} with all uploads stays")


def main() -> None:
    commands = {"config": config, "site": site, "rotate": rotate, "revoke": revoke, "clear": clear}
    if len(sys.argv) != 3 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]](stack_of(sys.argv[2]))


if __name__ == "__main__":
    main()
