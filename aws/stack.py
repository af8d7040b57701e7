"""Steps of `make deploy`, `make destroy`, `make rotate` and `make revoke` that SAM does not do. Uses the boto3 of SAM's Python.

    stack.py config STAGE     writes www/config.json from the stack's outputs
    stack.py site STAGE       uploads www and the package to the stack's site, if it has one
    stack.py rotate STAGE     makes a new token key; the previous key stays valid until the next rotation
    stack.py revoke STAGE     makes two new token keys, which ends all open uploads
    stack.py protect STAGE    protects the stack from deletion, unless the stage is dev
    stack.py clear STAGE      asks for the stage's name and empties the site's bucket, so that the stack can be removed
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
# Browsers check all files again at each load, so a deployment takes effect at once. The files are small.
CACHE = "no-cache"
# A bare Debian lacks some of these types.
TYPES = {".js": "text/javascript", ".map": "application/json", ".wasm": "application/wasm", ".json": "application/json"}
# Minimum age of the current key at a rotation, in days: the lifetime of tokens. A younger rotation would drop the previous
# key while its tokens are still valid.
ROTATION_DAYS = 7
# The stage that may be removed at any time.
UNPROTECTED_STAGE = "dev"
KEY_LETTERS = string.ascii_letters + string.digits


def stack_of(stage: str) -> dict:
    """Returns the stack's outputs by name."""
    described = boto3.client("cloudformation").describe_stacks(StackName=name_of(stage))
    return {output["OutputKey"]: output["OutputValue"] for output in described["Stacks"][0].get("Outputs", [])}


def name_of(stage: str) -> str:
    return f"directput-{stage}"


def config(outputs: dict) -> None:
    """Writes the page's configuration: the addresses of the API and the bucket, and the sign-in."""
    # Behind CloudFront, page and API have the same address.
    endpoint = "/uploads" if "SiteUrl" in outputs else outputs["Endpoint"]
    settings = {"endpoint": endpoint, "preconnect": outputs["BucketUrl"]}
    if "SiteSignIn" in outputs:
        settings["signIn"] = json.loads(outputs["SiteSignIn"])
    text = json.dumps(settings, indent=2)
    (ROOT / "www/config.json").write_text(text + "\n")
    print(f"www/config.json: {endpoint}")


def site_files() -> dict[str, Path]:
    """Returns the site's files by key: the page, and the package below directput/."""
    if not (ROOT / "pkg/index.js").exists():
        sys.exit("pkg/ is missing: run `make package`")
    folders = {"": ROOT / "www", "directput/": ROOT / "pkg"}
    # Pages load this library only for sign-in.
    return {"oauth4webapi.js": ROOT / "node_modules/oauth4webapi/build/index.js"} | {
        prefix + path.relative_to(folder).as_posix(): path
        for prefix, folder in folders.items()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def content_type(path: Path) -> str:
    return TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def site(outputs: dict) -> None:
    """Uploads the site's files, removes old ones, and invalidates CloudFront's cache."""
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
    """Makes a new key. Refuses if tokens of the previous key may still be valid."""
    client = boto3.client("secretsmanager")
    secret = outputs["TokenSecretArn"]
    stages = client.describe_secret(SecretId=secret)["VersionIdsToStages"]
    if any("AWSPREVIOUS" in names for names in stages.values()):
        created = client.get_secret_value(SecretId=secret, VersionStage="AWSCURRENT")["CreatedDate"].timestamp()
        days = (time.time() - created) / 86_400
        if days < ROTATION_DAYS:
            sys.exit(f"the key is {days:.1f} days old: uploads with the previous key may still be open")
    put_key(client, secret)
    print("the token key is new; the previous key opens tokens until the next rotation")


def put_key(client, secret: str) -> None:
    # Secrets Manager labels the newest version AWSCURRENT, and the one before it AWSPREVIOUS.
    key = "".join(secrets.choice(KEY_LETTERS) for _ in range(64))
    client.put_secret_value(SecretId=secret, SecretString=key)


def revoke(outputs: dict) -> None:
    """Makes two new keys, so that no key opens an existing token."""
    client = boto3.client("secretsmanager")
    for _ in range(2):
        put_key(client, outputs["TokenSecretArn"])
    print("all existing tokens end: the function learns it within 5 minutes, and URLs expire within 10 minutes")


def protect(stage: str) -> None:
    """Turns on termination protection, which SAM can't."""
    if stage != UNPROTECTED_STAGE:
        client = boto3.client("cloudformation")
        client.update_termination_protection(StackName=name_of(stage), EnableTerminationProtection=True)
        print(f"{name_of(stage)} is protected from deletion")


def clear(stage: str) -> None:
    """Empties the site's bucket after the user has typed the stage's name. Neither this function nor the template removes
    the bucket of the uploads."""
    [described] = boto3.client("cloudformation").describe_stacks(StackName=name_of(stage))["Stacks"]
    if described.get("EnableTerminationProtection"):
        sys.exit(f"{name_of(stage)} is protected from deletion. To remove it anyway, first run\n  aws cloudformation "
                 f"update-termination-protection --no-enable-termination-protection --stack-name {name_of(stage)}")
    outputs = stack_of(stage)
    print(f"This removes the API, function, token key and page of {name_of(stage)}, and ends all open uploads.")
    if input("Type the stage's name to continue: ").strip() != stage:
        sys.exit("nothing was removed")
    if "SiteBucketName" in outputs:
        boto3.resource("s3").Bucket(outputs["SiteBucketName"]).objects.all().delete()
    print(f"the bucket {outputs['BucketName']} with all uploads stays")


def main() -> None:
    of_outputs = {"config": config, "site": site, "rotate": rotate, "revoke": revoke}
    of_stage = {"protect": protect, "clear": clear}
    match sys.argv[1:]:
        case [command, stage] if command in of_outputs:
            of_outputs[command](stack_of(stage))
        case [command, stage] if command in of_stage:
            of_stage[command](stage)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
