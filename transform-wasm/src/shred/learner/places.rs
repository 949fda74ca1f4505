//! Where the nodes that are learned stand: in what is declared, and in the plan of who judges.

use super::super::scope::At;
use super::Learner;
use crate::json::NOWHERE;
use crate::learn::Kinds;

/// Where a node is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// In the tree of what is declared.
    pub at: At,
    /// Its node in the judge's plan.
    pub judged: u32,
    /// What the judge takes there, whatever the value.
    pub sure: Kinds,
}

impl Learner {
    /// Finds the place of each node.
    pub(super) fn place_all(&mut self) {
        self.nulls.clear();
        self.places.clear();
        let root = self.place(self.scope.root(), 0);
        self.places.resize(self.learned.nodes.len(), root);
        for number in 0..self.learned.nodes.len() {
            let node = &self.learned.nodes[number];
            let element = node.element;
            let keys: Vec<(Vec<u8>, u32)> =
                node.keys.iter().map(|(key, child)| (key.to_vec(), child)).collect();
            for (key, child) in keys {
                self.places[child as usize] = self.place_below(number as u32, &key, child);
            }
            if let Some(element) = element {
                self.places[element as usize] = self.place_of_element(number as u32);
            }
        }
    }

    /// The place of the child of a node below a key.
    pub(super) fn place_below(&mut self, node: u32, key: &[u8], child: u32) -> Place {
        let Place { at, judged, .. } = self.places[node as usize];
        if let Some(nulls) = self.scope.nulls(at, key) {
            self.nulls.insert(child, nulls.iter().map(|text| text.clone().into_bytes()).collect());
        }
        let below = self.judge.as_mut().map_or(NOWHERE, |judge| judge.plan.node_below(judged, key));
        self.place(self.scope.child(at, key), below)
    }

    /// The place of the elements of a node's arrays.
    pub(super) fn place_of_element(&self, node: u32) -> Place {
        let Place { at, judged, .. } = self.places[node as usize];
        let below = self.judge.as_ref().map_or(NOWHERE, |judge| judge.plan.element_of(judged));
        self.place(self.scope.element_of(at), below)
    }

    fn place(&self, at: At, judged: u32) -> Place {
        let sure = self.judge.as_ref().map_or(Kinds::ALL, |judge| judge.plan.sure(judged, self.fields));
        Place { at, judged, sure }
    }
}
