//! JSON objects of other writers: what is not changed stays as it was written.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// An object whose members keep their order and their text, members that this
/// crate has never heard of included. Only white space between them is lost.
#[derive(Debug, Clone, Default)]
pub(super) struct RawObject {
    members: Vec<(String, Box<RawValue>)>,
}

impl RawObject {
    pub(super) fn get(&self, key: &str) -> Option<&RawValue> {
        self.members.iter().find(|(name, _)| name == key).map(|(_, value)| &**value)
    }

    /// Changes a member in its place, or adds it at the end.
    pub(super) fn set(&mut self, key: &str, value: Box<RawValue>) {
        match self.members.iter_mut().find(|(name, _)| name == key) {
            Some((_, slot)) => *slot = value,
            None => self.members.push((key.to_owned(), value)),
        }
    }
}

/// A value as raw JSON.
pub(super) fn raw(value: &impl Serialize) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).expect("strings, numbers and maps with text keys are JSON")
}

impl Serialize for RawObject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.members.len()))?;
        for (name, value) in &self.members {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for RawObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = RawObject;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawObject, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry::<String, Box<RawValue>>()? {
                    members.push(member);
                }
                Ok(RawObject { members })
            }
        }
        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_changed_keeps_its_order_and_text() {
        let text = r#"{"z":1.50,"a":{"y" : 1, "b":"\u00e9"},"list":[]}"#;
        let mut object: RawObject = serde_json::from_str(text).expect("an object");
        assert_eq!(serde_json::to_string(&object).expect("JSON"), text);
        object.set("list", raw(&[1]));
        object.set("new", raw(&true));
        let changed = r#"{"z":1.50,"a":{"y" : 1, "b":"\u00e9"},"list":[1],"new":true}"#;
        assert_eq!(serde_json::to_string(&object).expect("JSON"), changed);
    }
}
