//! What docs/ and examples/ show of settings is what the settings take.

use std::{fs, path::Path};

use tower_analytics::Config;

#[test]
fn every_table_of_settings_in_the_docs_is_taken() {
    let mut seen = 0;
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for block in text.split("```toml\n").skip(1) {
            let block = block.split("```").next().unwrap();
            if let Err(error) = toml::from_str::<Config>(block) {
                panic!("{}: {error}\n{block}", path.display());
            }
            seen += 1;
        }
    }
    assert!(seen >= 5, "{seen} tables were found");
}
