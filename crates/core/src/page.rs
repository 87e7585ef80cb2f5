//! Pages of lists: how many rows at most, and where the next one begins.

/// Most rows of one page.
pub const MOST: i64 = 200;

/// How many keys a look-up of several names at once. Such a statement has a place for each, and shorter lists repeat one.
pub const AT_ONCE: usize = 50;

/// How many rows a page holds when so many are asked for.
pub fn limit(asked: i64) -> i64 {
    asked.clamp(1, MOST)
}

/// Cuts a list to `limit`; gives the last item that stays if anything was cut. One row more than the page holds is
/// read: it tells whether there is a next one.
pub fn cut<T: Clone>(list: &mut Vec<T>, limit: i64) -> Option<T> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if list.len() <= limit {
        return None;
    }
    list.truncate(limit);
    list.last().cloned()
}
