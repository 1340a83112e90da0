//! A made-up set of the panel's files with every trap that is known of them, and what must come out of it, counted the slow way
//! by code that shares nothing with the importer.

pub mod make;
pub mod oracle;
