//! [`component!`](crate::component!): a component that exports a [`Transform`](crate::Transform).
//!
//! For: crates that are a transform of their own. This crate exports nothing by itself (only its feature
//! `component` does), so that a component holds one transform and not two. What the macro expands to has to
//! reach the glue, which is why this module is public, and hidden.

#[cfg(target_arch = "wasm32")]
#[allow(missing_docs)] // what wit-bindgen makes
pub mod glue;

/// Makes a component of a [`Transform`](crate::Transform): `component!(Extended<MyRows>);`. Once in a crate,
/// which is built by `lakegate build`; on other targets it only checks the type.
#[macro_export]
macro_rules! component {
    ($transform:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Exported = $crate::component::glue::Component<$transform>;
    $crate::component::glue::export!(Exported with_types_in $crate::component::glue);
        };
        #[cfg(not(target_arch = "wasm32"))]
        const _: () = {
            const fn is_transform<T: $crate::Transform>() {}
            is_transform::<$transform>();
        };
    };
}
