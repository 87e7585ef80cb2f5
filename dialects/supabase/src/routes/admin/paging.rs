//! Pages that have a number: how they are asked for, and the headers that lead to the others.

use crate::{error::Fail, redirect};
use latchstring_core::admin::users::PER_PAGE;

/// How many users a page has when nothing is said.
const USUAL: u64 = 50;

/// What a list is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// From 1.
    pub page: u64,
    /// From 1.
    pub per_page: u64,
    pub oldest_first: bool,
    pub filter: Option<String>,
}

impl Asked {
    /// Reads a query. An empty number is none: the SDK sends it so. Of one that stands twice, the first counts.
    pub(super) fn read(query: &[(String, String)]) -> Result<Self, Fail> {
        let first = |name: &str| query.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
        let number = |name: &str, usual: u64| match first(name).unwrap_or_default() {
            "" => Ok(usual),
            text => {
                text.parse::<u64>().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit())).ok_or_else(
                    || Fail::invalid(format!("Bad Pagination Parameters: {name} must be a number")),
                )
            }
        };
        let per_page = number("per_page", USUAL)?;
        if per_page == 0 {
            return Err(Fail::invalid("Bad Pagination Parameters: per_page must be at least 1"));
        }
        let mut oldest_first = None;
        for (_, sort) in query.iter().filter(|(name, _)| name == "sort") {
            let (field, direction) = sort.split_once(' ').unwrap_or((sort, "desc"));
            if field != "created_at" {
                return Err(Fail::invalid("Bad Sort Parameters: only created_at can be sorted by"));
            }
            let ascending = match direction.to_ascii_lowercase().as_str() {
                "asc" => true,
                "desc" => false,
                _ => {
                    return Err(Fail::invalid(
                        "Bad Sort Parameters: bad direction for sort, only 'asc' and 'desc' allowed",
                    ));
                }
            };
            // A second order of the same column would say nothing.
            oldest_first.get_or_insert(ascending);
        }
        Ok(Self {
            page: number("page", 1)?.max(1),
            per_page: per_page.min(PER_PAGE.unsigned_abs()),
            oldest_first: oldest_first.unwrap_or(false),
            filter: first("filter").filter(|filter| !filter.is_empty()).map(ToOwned::to_owned),
        })
    }

    /// The `Link` header. The SDK takes what follows the first `=` for the page's number, so that it comes first, and
    /// splits at commas and semicolons, so that nothing else has any.
    pub(super) fn link(&self, path: &str, total: u64) -> String {
        let last = total.div_ceil(self.per_page);
        let mut rest = format!("&per_page={}", self.per_page);
        if self.oldest_first {
            rest.push_str("&sort=created_at+asc");
        }
        if let Some(filter) = &self.filter {
            rest.push_str("&filter=");
            redirect::encode(filter, &mut rest);
        }
        let to = |page: u64, rel: &str| format!("<{path}?page={page}{rest}>; rel=\"{rel}\"");
        let next = (last > self.page).then(|| to(self.page + 1, "next"));
        next.into_iter().chain([to(last, "last")]).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn query(text: &[(&str, &str)]) -> Vec<(String, String)> {
        text.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_page_is_asked_for_by_number() {
        let usual = Asked { page: 1, per_page: 50, oldest_first: false, filter: None };
        assert_eq!(Asked::read(&[]).expect("usual"), usual);
        assert_eq!(Asked::read(&query(&[("page", ""), ("per_page", "")])).expect("usual"), usual);
        assert_eq!(Asked::read(&query(&[("page", "0"), ("other", "x")])).expect("usual"), usual);
        let asked = Asked::read(&query(&[
            ("page", "3"),
            ("page", "4"),
            ("per_page", "5000"),
            ("sort", "created_at asc"),
            ("sort", "created_at desc"),
            ("filter", "ada"),
        ]));
        let wanted = Asked { page: 3, per_page: 1_000, oldest_first: true, filter: Some("ada".into()) };
        assert_eq!(asked.expect("read"), wanted);
        for bad in [
            ("page", "-1"),
            ("page", "+1"),
            ("page", "x"),
            ("page", "1e3"),
            ("page", "99999999999999999999"),
            ("per_page", "0"),
            ("per_page", " 5"),
            ("sort", ""),
            ("sort", "email asc"),
            ("sort", "created_at up"),
            ("sort", "created_at asc, id"),
        ] {
            assert!(Asked::read(&query(&[bad])).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_header_has_the_vendors_form() {
        let asked = Asked { page: 1, per_page: 2, oldest_first: false, filter: None };
        let path = "/auth/v1/admin/users";
        assert_eq!(
            asked.link(path, 5),
            "</auth/v1/admin/users?page=2&per_page=2>; rel=\"next\", </auth/v1/admin/users?page=3&per_page=2>; rel=\"last\""
        );
        assert_eq!(asked.link(path, 2), "</auth/v1/admin/users?page=1&per_page=2>; rel=\"last\"");
        assert_eq!(asked.link(path, 0), "</auth/v1/admin/users?page=0&per_page=2>; rel=\"last\"");
    }

    /// What the SDK makes of the header: the first digit of a page alone.
    fn read_by_the_sdk(header: &str) -> Vec<(String, u64)> {
        let page = |link: &str| link.split(';').next()?.split('=').nth(1)?.chars().next()?.to_digit(10);
        let rel = |link: &str| link.split(';').nth(1)?.split('=').nth(1).map(ToOwned::to_owned);
        header
            .split(',')
            .map(|link| {
                let rel = rel(link).and_then(|rel| serde_json::from_str(&rel).ok()).expect("a quoted word");
                (rel, u64::from(page(link).expect("a digit")))
            })
            .collect()
    }

    fn first_digit(mut n: u64) -> u64 {
        while n > 9 {
            n /= 10;
        }
        n
    }

    proptest! {
        #[test]
        fn the_sdk_reads_every_header(page in 1_u64..10_000, per_page in 1_u64..=1_000, total in 0_u64..10_000_000,
                                      oldest_first: bool, filter in proptest::option::of(".{1,60}")) {
            let asked = Asked { page, per_page, oldest_first, filter };
            let header = asked.link("/auth/v1/admin/users", total);
            prop_assert!(http::HeaderValue::from_str(&header).is_ok());
            let last = total.div_ceil(per_page);
            let mut wanted = vec![("last".to_owned(), first_digit(last))];
            if page < last {
                wanted.insert(0, ("next".to_owned(), first_digit(page + 1)));
            }
            prop_assert_eq!(read_by_the_sdk(&header), wanted);
        }
    }
}
