//! The report page, whole: from records to HTML.

mod sample;

use murphy_reports::page;

#[test]
fn pages_for_the_eye() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(folder.join("one-run.html"), page(&sample::batch(1..=1))).expect("the folder is there");
    std::fs::write(folder.join("twenty-runs.html"), page(&sample::batch(1..=20)))
        .expect("the folder is there");
}
