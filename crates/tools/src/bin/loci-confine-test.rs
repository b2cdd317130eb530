//! The helper the tests of this crate start: what the real programs do first in their `main`.

fn main() {
    loci_tools::sandbox::run_helper_if_asked();
    eprintln!("this program only confines tools in tests");
    std::process::exit(2);
}
