//! The attacks of the threat model: each test is named after its scenario, and
//! the same without the one change is accepted.

mod a;
mod b;
mod c;
mod d;
mod e;
mod f;
mod g;
mod h;
mod i;
mod j;
mod k;
mod l;
mod p;
