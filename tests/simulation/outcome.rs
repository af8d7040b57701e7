//! Checks of the outcome of an upload, and of the state of S3 at the end of a history.

use directput::checksum::{ChecksumAlgorithm, ObjectChecksum};
use directput::engine::{Failure, Remains, Uploaded};
use directput::plan::SINGLE_PUT_BYTES;
use directput::protocol::{ErrorCode, PartNumber};

use crate::disk::{Content, Disk, checksum_of};
use crate::scenario::Scenario;
use crate::storage::{Storage, Upload};
use crate::world::World;

/// Checks that the reported remains of a failure agree with S3. `keys`: keys of the uploads that this run has opened.
pub fn check_remains(failure: &Failure, keys: &[String], storage: &Storage) -> Result<(), String> {
    if failure.code == ErrorCode::PartsRefused && !storage.hides_checksum() {
        return Err("only S3 has detected that the parts are of different files".to_owned());
    }
    let remains = failure.remains;
    if remains != Remains::Unknown && keys.iter().any(|key| storage.objects.contains_key(key)) {
        return Err(format!("S3 has an object, and it says {remains:?}"));
    }
    let is_left = |upload: &Upload| keys.contains(&upload.key) && upload.token_is_good && upload.costs();
    if remains == Remains::Nothing && storage.uploads.iter().any(is_left) {
        return Err("S3 has an upload, and it says that nothing remains".to_owned());
    }
    Ok(())
}

/// Checks that the object is equal to one version of the file, and that the outcome agrees with the object.
pub fn check_object(
    uploaded: &Uploaded,
    size: u64,
    scenario: &Scenario,
    storage: &Storage,
    disk: &Disk,
) -> Result<(), String> {
    let contents = &storage.objects[&uploaded.key];
    let plan = storage.uploads.iter().find(|upload| upload.key == uploaded.key).expect("the upload was opened").plan;
    let is_version =
        |version: usize| plan.parts().map(|part| disk.content_of(version, part)).eq(contents.iter().copied());
    if !(0..=disk.version()).any(is_version) {
        return Err("the object is not the file".to_owned());
    }
    if uploaded.checksum != object_checksum(scenario.algorithm, &plan, contents) || uploaded.size != size {
        return Err("the outcome does not agree with the object in S3".to_owned());
    }
    Ok(())
}

fn object_checksum(algorithm: ChecksumAlgorithm, plan: &directput::plan::Plan, contents: &[Content]) -> Option<String> {
    let checksums = contents.iter().map(|content| checksum_of(algorithm, *content));
    if !plan.is_multipart() {
        return checksum_of(algorithm, contents[0]).map(|checksum| checksum.to_text());
    }
    let parts = (1..).filter_map(PartNumber::new).filter_map(|number| plan.part(number));
    let lengths = parts.map(|part| part.length);
    ObjectChecksum::of(algorithm, checksums.zip(lengths)).map(|checksum| checksum.to_text())
}

impl World {
    /// Checks the end of the history.
    pub fn check_end(&mut self) -> Result<(), String> {
        let Scenario { keeps_records, .. } = self.scenario;
        for (file, dropped) in self.files.iter().zip(&self.scenario.files) {
            if file.record.is_some() {
                return Err("a record is left that no session will read".to_owned());
            }
            let uploads = self.storage.of_file(&file.name);
            let is_parts = dropped.size > SINGLE_PUT_BYTES
                && self.storage.of_file(&file.name).all(|upload| upload.plan.is_multipart());
            let objects = uploads.filter(|upload| self.storage.objects.contains_key(&upload.key)).count();
            if objects > 1 && keeps_records && is_parts {
                return Err("a second object of one file".to_owned());
            }
            match self.storage.orphans(&file.name).next() {
                Some(upload) if keeps_records => {
                    return Err(format!("{} is left behind and costs money", upload.key));
                }
                _ => {}
            }
        }
        self.check_calm_end()
    }
}
