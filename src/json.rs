//! JSON read strictly: no key twice in one object, no value deeper than serde allows.
//!
//! A document that names a key twice reads differently in different programs;
//! whoever checks one reading and uses the other can be fooled (scenario G-12).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Parses `bytes` after checking that no object in them has a key twice.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    serde_json::from_str(reject_ambiguity(bytes, &[])?)
}

/// As [`parse`], for a document that is an object. An array of the values, which
/// serde takes for the same, is refused (scenario H-05).
pub(crate) fn object<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    parse::<Object<T>>(bytes).map(|Object(found)| found)
}

/// Checks that `bytes` are one JSON document without a repeated key, and that
/// no object has two of the keys that a group lists, unless one of them is
/// `null`. Protobuf's JSON form writes the fields of a `oneof` so; a reader that
/// takes the first that it knows and one that takes the last see two documents
/// (scenario G-18). Gives them as text: whoever reads them again need not look
/// for broken UTF-8 again.
///
/// Every value is read, so that what is passed over later (serde skips it
/// unread) is a value for every reader: a number beyond a double's range or half
/// a surrogate pair is refused here.
pub(crate) fn reject_ambiguity(bytes: &[u8], groups: Groups) -> Result<&str, serde_json::Error> {
    let text = std::str::from_utf8(bytes).map_err(serde_json::Error::custom)?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    Unique { groups, keys: Vec::new() }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(text)
}

/// Keys that exclude each other.
pub(crate) type Groups = &'static [&'static [&'static str]];

/// Walks a value of any shape, keeping only the keys of the objects it is in;
/// answers whether it is something else than `null`.
struct Unique<'de> {
    groups: Groups,
    /// The keys of the objects that are open, outermost first.
    keys: Vec<Cow<'de, str>>,
}

impl<'de> DeserializeSeed<'de> for &mut Unique<'de> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Unique<'de> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(true)
    }

    fn visit_i64<E>(self, _: i64) -> Result<bool, E> {
        Ok(true)
    }

    fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
        Ok(true)
    }

    fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
        Ok(true)
    }

    fn visit_str<E>(self, _: &str) -> Result<bool, E> {
        Ok(true)
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<bool, A::Error> {
        while seq.next_element_seed(&mut *self)?.is_some() {}
        Ok(true)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let begin = self.keys.len();
        let mut chosen: Vec<(usize, &str)> = Vec::new();
        while let Some(Key(key)) = map.next_key()? {
            let member = self.member(&key);
            self.keys.push(key);
            let is_there = map.next_value_seed(&mut *self)?;
            let Some((group, key)) = member.filter(|_| is_there) else { continue };
            if let Some((_, other)) = chosen.iter().find(|(known, _)| *known == group) {
                return Err(A::Error::custom(format_args!("{other:?} and {key:?} exclude each other")));
            }
            chosen.push((group, key));
        }
        refuse_twice(&mut self.keys[begin..])?;
        self.keys.truncate(begin);
        Ok(true)
    }
}

/// The keys of one object. Sorted in place, by their length first, which is
/// enough for most: objects are small, and documents have many.
fn refuse_twice<E: Error>(keys: &mut [Cow<'_, str>]) -> Result<(), E> {
    keys.sort_unstable_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
    match keys.windows(2).find(|pair| pair[0] == pair[1]) {
        None => Ok(()),
        Some(twice) => Err(E::custom(format_args!("the key {:?} stands twice in one object", twice[0]))),
    }
}

impl Unique<'_> {
    /// The group that a key is in.
    fn member(&self, key: &str) -> Option<(usize, &'static str)> {
        let groups = self.groups.iter().enumerate();
        groups.flat_map(|(n, keys)| keys.iter().map(move |known| (n, *known))).find(|(_, known)| *known == key)
    }
}

/// A key, borrowed from the input where it has no escapes.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// An object of which some members are kept. It is read in one pass, and what is
/// not kept is walked as [`reject_ambiguity`] does: for documents that are
/// large and mostly passed on, where a second pass would be felt.
pub(crate) trait Members<'de>: Default {
    /// Keeps the member `key` by reading its value; `false` leaves it to be walked.
    fn keep<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error>;

    /// Reads the object. An array of the values, which serde takes for the same, is refused.
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object<M>(PhantomData<M>);
        impl<'de, M: Members<'de>> Visitor<'de> for Object<M> {
            type Value = M;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<M, A::Error> {
                let mut object = M::default();
                let mut keys: Vec<Cow<'de, str>> = Vec::new();
                while let Some(Key(key)) = map.next_key()? {
                    if !object.keep(&key, &mut map)? {
                        map.next_value_seed(&mut Unique { groups: &[], keys: Vec::new() })?;
                    }
                    keys.push(key);
                }
                refuse_twice(&mut keys)?;
                Ok(object)
            }
        }
        deserializer.deserialize_map(Object(PhantomData))
    }
}

/// An object, and not an array of its values, which serde takes for the same and no other reader does.
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Only<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Only<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }
        deserializer.deserialize_map(Only(PhantomData))
    }
}

/// Reads an object as a map and refuses a repeated key; for documents whose
/// other parts are not walked by [`parse`].
pub(crate) fn unique_map<'de, D, V>(deserializer: D) -> Result<BTreeMap<String, V>, D::Error>
where
    D: Deserializer<'de>,
    V: Deserialize<'de>,
{
    struct Map<V>(PhantomData<V>);
    impl<'de, V: Deserialize<'de>> Visitor<'de> for Map<V> {
        type Value = BTreeMap<String, V>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut out = BTreeMap::new();
            while let Some((key, value)) = map.next_entry::<String, V>()? {
                if out.contains_key(&key) {
                    return Err(A::Error::custom(format_args!("the key {key:?} stands twice in one object")));
                }
                out.insert(key, value);
            }
            Ok(out)
        }
    }
    deserializer.deserialize_map(Map(PhantomData))
}

/// As [`unique_map`], with `null` as the empty map: Go writes `null` for an empty one.
pub(crate) fn unique_map_or_null<'de, D, V>(deserializer: D) -> Result<BTreeMap<String, V>, D::Error>
where
    D: Deserializer<'de>,
    V: Deserialize<'de>,
{
    struct Wrapped<V>(BTreeMap<String, V>);
    impl<'de, V: Deserialize<'de>> Deserialize<'de> for Wrapped<V> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            unique_map(deserializer).map(Wrapped)
        }
    }
    Ok(Option::<Wrapped<V>>::deserialize(deserializer)?.map_or_else(BTreeMap::new, |map| map.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reject_duplicate_keys(bytes: &[u8]) -> Result<&str, serde_json::Error> {
        reject_ambiguity(bytes, &[])
    }

    #[test]
    fn a_repeated_key_is_refused_at_any_depth() {
        assert!(reject_duplicate_keys(br#"{"a":1,"b":{"a":[{"a":"\u00e9"},null,-1.5,true]}}"#).is_ok());
        for bad in [r#"{"a":1,"a":1}"#, r#"{"b":[{"a":1,"\u0061":1}]}"#] {
            let error = reject_duplicate_keys(bad.as_bytes()).expect_err(bad);
            assert!(error.to_string().contains("stands twice"), "{error}");
        }
    }

    #[test]
    fn a_value_that_other_readers_refuse_is_refused_wherever_it_stands() {
        let check = |value: &str| reject_duplicate_keys(format!(r#"{{"a":[{value}]}}"#).as_bytes()).map(drop);
        for (good, bad) in [("1e308", "1e309"), (r#""\ud83d\ude00""#, r#""\ud83d""#), (r#""\u00e9""#, r#""\u00g9""#)] {
            assert!(check(good).is_ok(), "{good}");
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn keys_that_exclude_each_other_are_refused_at_any_depth() {
        let check = |text: &str| reject_ambiguity(text.as_bytes(), &[&["a", "b"], &["c", "d"]]).map(drop);
        for good in [r#"{"a":1,"c":2,"x":3}"#, r#"{"a":{"b":1}}"#, r#"{"a":null,"b":1}"#, r#"[{"a":1},{"b":1}]"#] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in [r#"{"a":1,"b":2}"#, r#"{"x":[{"d":[],"c":{}}]}"#, r#"{"b":false,"c":1,"a":""}"#] {
            let error = check(bad).expect_err(bad);
            assert!(error.to_string().contains("exclude"), "{error}");
        }
    }

    #[test]
    fn an_array_of_the_values_is_no_object() {
        #[derive(Deserialize)]
        struct One<'a> {
            one: &'a str,
        }
        let read = |text| serde_json::from_str::<Object<One<'_>>>(text).map(|Object(found)| found.one);
        assert_eq!(read(r#"{"one":"1"}"#).expect("an object"), "1");
        assert!(serde_json::from_str::<One<'_>>(r#"["1"]"#).is_ok_and(|found| found.one == "1"));
        assert!(read(r#"["1"]"#).is_err() && read("null").is_err());
        #[derive(Deserialize)]
        struct Owned {
            one: String,
        }
        let twins: [&[u8]; 2] = [br#"{"one":"1"}"#, br#"["1"]"#];
        let [map, array] = twins.map(|text| object::<Owned>(text).map(|found| found.one).ok());
        assert_eq!((map.as_deref(), array), (Some("1"), None));
    }

    #[test]
    fn members_that_are_not_kept_are_walked() {
        #[derive(Default)]
        struct One(Option<u8>);
        impl<'de> Members<'de> for One {
            fn keep<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error> {
                if key == "one" {
                    self.0 = Some(map.next_value()?);
                }
                Ok(key == "one")
            }
        }
        let read = |text: &str| {
            let mut deserializer = serde_json::Deserializer::from_str(text);
            One::read(&mut deserializer).map(|one| one.0).map_err(|error| error.to_string())
        };
        assert_eq!(read(r#"{"other":{"a":[1,{"b":2}]},"one":1,"last":null}"#), Ok(Some(1)));
        assert_eq!(read("{}"), Ok(None));
        let twice = [
            r#"{"one":1,"x":0,"x":0}"#,
            r#"{"one":1,"x":[{"a":1,"a":1}]}"#,
            r#"{"x":1,"\u0078":2}"#,
            r#"{"one":1,"one":1}"#,
        ];
        for bad in twice {
            assert!(read(bad).is_err_and(|error| error.contains("twice")), "{bad}");
        }
        assert!(read("[1]").is_err() && read(r#"{"one":1,"x":1e999}"#).is_err() && read(r#"{"one":1,}"#).is_err());
    }

    #[test]
    fn trailing_text_deep_nesting_and_broken_utf8_are_refused() {
        assert!(reject_duplicate_keys(b"{} {}").is_err());
        let deep = "[".repeat(200) + &"]".repeat(200);
        assert!(reject_duplicate_keys(deep.as_bytes()).is_err());
        let shallow = "[".repeat(100) + &"]".repeat(100);
        assert!(reject_duplicate_keys(shallow.as_bytes()).is_ok());
        assert_eq!(reject_duplicate_keys("{\"é\":1}".as_bytes()).expect("JSON"), "{\"é\":1}");
        assert!(reject_duplicate_keys(b"{\"\xe9\":1}").is_err());
    }
}
