//! Every kind of fault on a toy process: the counter of the resource, an outcome, and the opposite arm.

mod disk;
mod load;
mod network;
mod node;
mod plan;
mod resource;
mod shape;
mod toy;
