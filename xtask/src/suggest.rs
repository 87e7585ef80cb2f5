//! "Did you mean": the known word that is nearest to a mistyped one.

/// A sentence with the nearest of `known`, or nothing when none is near.
pub(crate) fn did_you_mean<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    match nearest(word, known) {
        Some(near) => format!(" Did you mean `{near}`?"),
        None => String::new(),
    }
}

fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|candidate| (if candidate.starts_with(word) { 1 } else { distance(word, candidate) }, candidate))
        .filter(|(far, candidate)| *far <= candidate.len().div_ceil(2))
        .min_by_key(|(far, _)| *far)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance, one row at a time.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_offered_and_a_far_one_is_not() {
        let known = || ["test", "tidy", "deny"].into_iter();
        assert_eq!(nearest("tset", known()), Some("test"));
        assert_eq!(nearest("tydi", known()), Some("tidy"));
        assert_eq!(nearest("te", known()), Some("test"));
        assert_eq!(nearest("launch-rocket", known()), None);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
