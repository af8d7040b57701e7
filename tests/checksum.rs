//! Compares checksums with published vectors, and with answers of S3.
#![cfg(not(target_arch = "wasm32"))]

use directput::checksum::{
    ChecksumAlgorithm, CompositeChecksum, Crc64Nvme, Crc64NvmeHasher, ObjectChecksum, PartChecksum, Sha256Digest,
    Sha256Hasher,
};
use directput::protocol::Refusal;
use proptest::prelude::*;

/// FIPS 180-4 examples (NIST, "SHA256.pdf"), and the empty message.
const VECTORS: &[(&[u8], &str)] = &[
    (b"", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
    (b"abc", "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="),
    (b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "JI1qYdIGOLjlwCaTDD5gOaM85Flk/yFn9uzt1BnbBsE="),
];

#[test]
fn sha256_matches_the_published_vectors() {
    for (message, base64) in VECTORS {
        assert_eq!(Sha256Digest::of(message).to_string(), *base64);
    }
}

#[test]
fn a_million_letters_in_uneven_slices_match_the_published_vector() {
    let mut hasher = Sha256Hasher::default();
    let letters = [b'a'; 1_000_000];
    for slice in letters.chunks(8191) {
        hasher.update(slice);
    }
    assert_eq!(hasher.finish().to_string(), "zcduXJkU+5KBocfihNc+Z/GAmkiklyAOBG05zMcRLNA=");
}

/// Answer of S3 in eu-west-1 on 2026-09-03 to CompleteMultipartUpload for parts of 5 MiB, 5 MiB and 1 MiB, as recorded
/// in floci-io/floci issue 3083.
#[test]
fn the_composite_checksum_is_equal_to_s3s() {
    let parts = [
        "lcKa6Boe7a167tUCN5C4OaFygGSYD8MBnBARTrdL+1w=",
        "gHjhbUT4oo2tSCtSZJdlKi+jeNXJT+VImqdPXsXvkOc=",
        "4l9PQ3zOPZ0oGFvknFX+J4zZwE4WMzO+l3r8XrbWOeM=",
    ]
    .map(|text| Sha256Digest::parse(text).expect("a digest"));
    assert_eq!(CompositeChecksum::of(&parts).to_string(), "rVWtNbadtsaKXJAcgWPWjifHzJaXde/iV4jaJAOdivc=-3");
}

/// From the same source: S3 also hashes the digest of the part if a multipart upload has only one part.
#[test]
fn the_composite_checksum_of_one_part_differs_from_its_digest() {
    let part = Sha256Digest::parse("n7gWa0Gp88JMie9iljKcv731WbPhWtFVibhxsVB8FAw=").expect("a digest");
    assert_eq!(CompositeChecksum::of([&part]).to_string(), "D0xEU2q/FgypQljU/eaDWTSRcnDG3KQGOtevJWcmMRY=-1");
}

#[test]
fn a_composite_checksum_is_read_strictly() {
    let digest = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    for suffix in ["", "-", "-0", "-01", "-10001", "-+1", "-1-1", "-x"] {
        assert!(CompositeChecksum::parse(&format!("{digest}{suffix}")).is_err(), "{suffix:?}");
    }
    assert!(CompositeChecksum::parse(&format!("{digest}-10000")).is_ok());
}

/// The test cases of the NVM Command Set Specification, revision 1.0d, section 5.2.1.3.4, and the check value of
/// CRC-64/NVME in the RevEng catalogue.
#[test]
fn crc64nvme_matches_the_published_vectors() {
    let up: Vec<u8> = (0..4096).map(|at| at as u8).collect();
    let down: Vec<u8> = (0..4096).map(|at| 255 - at as u8).collect();
    for (message, base64) in [
        (b"123456789".as_slice(), "rosUhgp5mIg="),
        (&[0; 4096], "ZILTZ+sitk4="),
        (&[0xFF; 4096], "wN26cwLso6w="),
        (&up, "PnKfX2dQRJw="),
        (&down, "mi32S46eUX4="),
    ] {
        assert_eq!(Crc64Nvme::of(message).to_string(), base64);
        assert_eq!(Crc64Nvme::parse(base64), Ok(Crc64Nvme::of(message)));
    }
    for text in
        ["", "rosUhgp5mIg", "rosUhgp5mIg==", "rosUhgp5mI==", "rosUhgp5m===", "rosUhgp5-Ig=", "rosUhgp5mA==", "rosU"]
    {
        assert!(Crc64Nvme::parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn an_algorithm_is_read_by_its_name_on_the_wire() {
    let names = ["sha256", "crc64nvme", "crc64nvme-after", "none"];
    for (algorithm, name) in ChecksumAlgorithm::ALL.into_iter().zip(names) {
        assert_eq!(serde_json::to_value(algorithm).expect("serialises"), name);
        assert_eq!((algorithm.as_str(), ChecksumAlgorithm::parse(name)), (name, Some(algorithm)));
    }
    assert_eq!(ChecksumAlgorithm::parse("md5"), None);
}

#[test]
fn the_length_of_a_checksum_determines_its_algorithm() {
    let digest = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    for (text, algorithm) in [(digest, ChecksumAlgorithm::Sha256), ("rosUhgp5mIg=", ChecksumAlgorithm::Crc64nvme)] {
        let checksum = PartChecksum::parse(text).expect("a checksum");
        assert_eq!((checksum.algorithm(), checksum.to_string().as_str()), (algorithm, text));
    }
    for text in [&format!("{digest}-3"), "rosUhgp5mIg="] {
        assert_eq!(ObjectChecksum::parse(text).map(|checksum| checksum.to_string()).as_deref(), Ok(text));
    }
}

#[test]
fn a_digest_is_read_strictly_and_refused_with_a_reason() {
    let digest = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    assert_eq!(Sha256Digest::parse(""), Err(Refusal::Empty));
    assert_eq!(Sha256Digest::parse(&format!("{digest}=")), Err(Refusal::TooLong));
    assert_eq!(CompositeChecksum::parse(""), Err(Refusal::Empty));
    for text in ["AAAA", &digest[..43], &digest.replace('=', "A"), &digest.replace('+', "-")] {
        assert_eq!(Sha256Digest::parse(text), Err(Refusal::Malformed), "{text:?}");
    }
}

#[test]
fn a_failed_assertion_shows_checksums_as_s3_writes_them() {
    assert_eq!(format!("{:?}", Crc64Nvme::of(b"123456789")), "Crc64Nvme(rosUhgp5mIg=)");
    let empty = "Sha256Digest(47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=)";
    assert_eq!(format!("{:?}", Sha256Digest::of(b"")), empty);
}

#[test]
fn an_object_has_a_checksum_only_if_all_its_parts_have_one_of_the_same_kind() {
    let (sha256, crc64nvme) = (Sha256Digest::of(b"a").into(), Crc64Nvme::of(b"a").into());
    let of = |algorithm, parts: &[Option<PartChecksum>]| {
        ObjectChecksum::of(algorithm, parts.iter().map(|&part| (part, 1))).map(|checksum| checksum.to_string())
    };
    let composite = CompositeChecksum::of([&Sha256Digest::of(b"a"); 2]).to_string();
    assert_eq!(of(ChecksumAlgorithm::Sha256, &[Some(sha256); 2]), Some(composite));
    for algorithm in [ChecksumAlgorithm::Crc64nvme, ChecksumAlgorithm::Crc64nvmeAfter] {
        assert_eq!(of(algorithm, &[Some(crc64nvme); 2]), Some(Crc64Nvme::of(b"aa").to_string()));
    }
    for algorithm in ChecksumAlgorithm::ALL {
        assert_eq!(of(algorithm, &[Some(sha256), Some(crc64nvme)]), None);
        assert_eq!(of(algorithm, &[Some(sha256), None]), None);
    }
    assert_eq!(of(ChecksumAlgorithm::None, &[None, None]), None);
}

proptest! {
    #[test]
    fn a_digest_survives_its_text(bytes in any::<[u8; 32]>()) {
        let digest = Sha256Digest::from_bytes(bytes);
        prop_assert_eq!(Sha256Digest::parse(&digest.to_string()), Ok(digest));
    }

    #[test]
    fn slices_hash_like_the_whole(bytes in proptest::collection::vec(any::<u8>(), 0..2000), cut in 1usize..300) {
        let mut hasher = Sha256Hasher::default();
        bytes.chunks(cut).for_each(|slice| hasher.update(slice));
        prop_assert_eq!(hasher.finish(), Sha256Digest::of(&bytes));
    }

    #[test]
    fn the_crc64nvme_of_parts_joins_to_that_of_the_whole(
        bytes in proptest::collection::vec(any::<u8>(), 0..3000),
        cuts in proptest::collection::vec(0usize..3000, 0..6),
    ) {
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let parts = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]);
        let mut hasher = Crc64NvmeHasher::default();
        parts.clone().for_each(|part| hasher.update(part));
        prop_assert_eq!(hasher.finish(), Crc64Nvme::of(&bytes));
        let parts = parts.map(|part| (Some(PartChecksum::from(Crc64Nvme::of(part))), part.len() as u64));
        let whole = ObjectChecksum::of(ChecksumAlgorithm::Crc64nvme, parts).map(|checksum| checksum.to_string());
        prop_assert_eq!(whole, Some(Crc64Nvme::of(&bytes).to_string()));
    }
}
