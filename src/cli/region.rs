//! A region as a user names it: one that can't be one would select nothing, and pass for a region without a fault.

use super::error::Error;
use super::rules::likeness;
use crate::name::Region;

/// Where a region lies, as every region's code says it before its number.
const DIRECTIONS: [&str; 9] = [
    "central",
    "east",
    "north",
    "northeast",
    "northwest",
    "south",
    "southeast",
    "southwest",
    "west",
];

/// Only to suggest one of them: AWS adds to them, and what has the shape of a region is taken for one.
/// <https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html>
const KNOWN: [&str; 39] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eusc-de-east-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-west-1",
    "us-west-2",
];

/// The region of an option.
pub fn parse(given: &str) -> Result<Region, Error> {
    let wrong = |reason| Error::Region {
        given: given.to_owned(),
        reason,
        suggestion: nearest(given),
    };
    let region = Region::parse(given).map_err(|error| wrong(error.to_string()))?;
    match has_the_shape(region.as_str()) {
        true => Ok(region),
        false => Err(wrong(
            "a region's code ends with a direction and a number, like `eu-west-1`".to_owned(),
        )),
    }
}

fn has_the_shape(region: &str) -> bool {
    let mut parts = region.rsplit('-');
    let number = parts.next().is_some_and(|part| part.parse::<u8>().is_ok());
    let direction = parts.next().is_some_and(|part| DIRECTIONS.contains(&part));
    number && direction && parts.next().is_some_and(|part| !part.is_empty())
}

/// The region that has the most in common with what was given, if that is enough to be meant.
fn nearest(given: &str) -> Option<&'static str> {
    KNOWN
        .into_iter()
        .rev()
        .map(|known| (likeness(given, known), known))
        // Of several the last one, which is the first of the list.
        .max_by_key(|(likeness, _)| *likeness)
        .filter(|(likeness, _)| *likeness >= 50)
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_region_of_aws_is_one_and_a_mistyped_one_is_not() {
        for known in KNOWN
            .into_iter()
            .chain(["us-isob-east-1", "eu-isoe-west-1", "xx-northwest-12"])
        {
            assert_eq!(parse(known).expect("a region").as_str(), known);
        }
        for (wrong, meant) in [
            ("eu-wset-1", Some("eu-west-1")),
            ("eu-west1", Some("eu-west-1")),
            ("us-east-", Some("us-east-1")),
            ("", None),
            ("EU", None),
            ("Frankfurt", None),
        ] {
            let Err(Error::Region { suggestion, .. }) = parse(wrong) else {
                panic!("`{wrong}` is taken for a region");
            };
            assert_eq!(suggestion, meant, "{wrong}");
        }
    }
}
