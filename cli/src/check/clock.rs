//! Times in the answers of servers and in presigned URLs.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::probe::Answer;

const DAY_SECONDS: i64 = 86_400;

/// Returns the time of the header `Date`, in seconds since 1970.
pub fn date_of(answer: &Answer) -> Option<i64> {
    let date = httpdate::parse_http_date(answer.header("date")?).ok()?;
    Some(seconds(date))
}

/// Returns a time in seconds since 1970.
pub fn seconds(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).as_ref().map_or(0, Duration::as_secs).cast_signed()
}

/// Reads `X-Amz-Date`, such as `20261128T120000Z`. Returns seconds since 1970.
pub fn signing_time(text: &str) -> Option<i64> {
    let is_time = text.len() == 16 && text.is_ascii() && text.as_bytes()[8] == b'T' && text.ends_with('Z');
    let part = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    if !is_time {
        return None;
    }
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(9, 11)?, part(11, 13)?, part(13, 15)?);
    Some(days(year, month, day) * DAY_SECONDS + hour * 3_600 + minute * 60 + second)
}

/// Returns the number of days from 1970-01-01 to a date (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms",
/// `days_from_civil`).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_signature_is_read() {
        for (text, expected) in [
            ("19700101T000000Z", Some(0)),
            ("20000229T000001Z", Some(951_782_401)),
            ("20261128T123456Z", Some(1_795_869_296)),
            ("20261128T123456", None),
            ("2026-11-28T12:34", None),
            ("yyyymmddThhmmssZ", None),
        ] {
            assert_eq!(signing_time(text), expected, "{text}");
        }
    }
}
