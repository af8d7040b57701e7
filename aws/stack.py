"""What `make deploy`, `make destroy`, `make rotate` and `make revoke` do with a stack beside SAM, by the boto3 that SAM brings along.

    stack.py config STAGE     writes www/config.json from the stack's outputs
    stack.py site STAGE       uploads www and the package to the stack's site, if it has one
    stack.py rotate STAGE     makes a new token key; the one before stays good until the next rotation
    stack.py revoke STAGE     makes two new token keys: all uploads that are open end
    stack.py protect STAGE    has CloudFormation refuse to delete the stack, unless it is dev
    stack.py clear STAGE      asks for the stage's name, then empties the site's bucket, so that the stack can be removed
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
# The stage that is made to be thrown away.
UNPROTECTED_STAGE = "dev"
KEY_LETTERS = string.ascii_letters + string.digits


def stack_of(stage: str) -> dict:
    """The stack's outputs by name."""
    described = boto3.client("cloudformation").describe_stacks(StackName=name_of(stage))
    return {output["OutputKey"]: output["OutputValue"] for output in described["Stacks"][0].get("Outputs", [])}


def name_of(stage: str) -> str:
    return f"directput-{stage}"


def config(outputs: dict) -> None:
    """The page is told where the API is, and where the bucket will be."""
    # Behind CloudFront page and API have one address.
    endpoint = "/uploads" if "SiteUrl" in outputs else outputs["Endpoint"]
    said = {"endpoint": endpoint, "preconnect": outputs["BucketUrl"]}
    if "SiteSignIn" in outputs:
        said["signIn"] = json.loads(outputs["SiteSignIn"])
    text = json.dumps(said, indent=2)
    (ROOT / "www/config.json").write_text(text + "\n")
    print(f"www/config.json: {endpoint}")


def site_files() -> dict[str, Path]:
    """The site's files by their keys: the page, and the package below directput/."""
    if not (ROOT / "pkg/index.js").exists():
        sys.exit("pkg/ is missing: run `make package`")
    folders = {"": ROOT / "www", "directput/": ROOT / "pkg"}
    # Only a page with sign-in loads it.
    return {"oauth4webapi.js": ROOT / "node_modules/oauth4webapi/build/index.js"} | {
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


def protect(stage: str) -> None:
    """Turns on termination protection, which `make deploy` can't by SAM."""
    if stage != UNPROTECTED_STAGE:
        client = boto3.client("cloudformation")
        client.update_termination_protection(StackName=name_of(stage), EnableTerminationProtection=True)
        print(f"{name_of(stage)} is protected from deletion")


def clear(stage: str) -> None:
    """Empties the site's bucket, after the stage's name was typed. The bucket of the uploads is left alone, here and by
    the template."""
    [described] = boto3.client("cloudformation").describe_stacks(StackName=name_of(stage))["Stacks"]
    if described.get("EnableTerminationProtection"):
        sys.exit(f"{name_of(stage)} is protected from deletion; to remove it all the same, first run\n  aws cloudformation "
                 f"update-termination-protection --no-enable-termination-protection --stack-name {name_of(stage)}")
    outputs = stack_of(stage)
    print(f"This removes API, function, token key and page of {name_of(stage)}; uploads that are open end.")
    if input("Type the stage's name to go on: ").strip() != stage:
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
