//! Guests that misbehave, written by hand: each must end in a clear failure of its object only.

use super::*;
