//! Temporary.
fn main() {
    print!("{}", latchstring_server::openapi());
}
