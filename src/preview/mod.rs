//! The live page: a render watched and steered from a browser.
//!
//! ```text
//! render ─▶ Reporter ─▶ Hub ─▶ server ─▶ page          states and pictures: the newest only, nothing waits in a queue
//!        ◀── gate ───── Hub ◀─ server ◀─ page          wishes: pause, step, resume, save
//! ```
//!
//! The hub is where the two sides meet. The render publishes to it and never waits for a page. A page asks it for news and never gets
//! outdated data. Pictures are taken from the canvas only while a page wants one, and encoded in a separate thread.
//!
//! | file | what |
//! | --- | --- |
//! | `hub` | the state of the render, and the pages' wishes |
//! | `reporter` | reports a render's steps to the hub |
//! | `facts` | the data sent to pages: recipe, render, step, state |
//! | `curves` | similarities over time, in bounded memory |
//! | `frames` | pictures and strips of views, encoded on demand |
//! | `address` | where the page is served |
//! | `server` | HTTP: its own routes only, everything bounded |
//! | `page` | the page itself |

mod address;
mod curves;
mod facts;
mod frames;
mod hub;
mod page;
mod reporter;
mod server;

pub use address::{Address, WrongAddress};
pub use facts::{Activity, Notice, Recipe, Render, Step};
pub use frames::{Encoded, RawFrame};
pub use hub::{Gate, Hub, Unheard, Wish};
pub use reporter::{Reporter, Speed};
#[cfg(fuzzing)]
pub use server::read_request;
pub use server::{ServeError, Server};
