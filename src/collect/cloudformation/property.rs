//! A property of a resource as it is written: next to the others, in a loop, in one of two branches; or a macro writes
//! it, and nobody here can tell.

use super::evaluate::{Scope, World};
use super::stack::{Loops, Resource, loop_parts, put_in};
use super::tree::{Node, Value};
use super::value::{Truth, Unknown};

/// CloudFormation allows five levels of loops; choices in choices go no deeper either.
const DEEPEST: usize = 5;

/// What loops may make of one mapping.
const MOST_MEMBERS: usize = 10_000;

#[derive(Debug)]
pub(super) enum Property<'a> {
    LeftOut,
    /// The node, and the loops around it.
    Written(&'a Node, Loops),
    /// It may be written or not.
    Unknown(Unknown),
}

/// A member of a section, made by the loops around it.
pub(super) struct Made<'a> {
    pub key: String,
    pub node: &'a Node,
    pub loops: Loops,
}

impl World {
    /// What stands for a property of a resource.
    pub(super) fn property<'a>(&self, stack: usize, resource: &Resource<'a>, name: &str) -> Property<'a> {
        let scope = Scope::new(stack, resource.condition(), &resource.loops);
        if let Some(argument) = resource.node.get("Fn::Transform") {
            return Property::Unknown(self.opaque_macro(scope, argument));
        }
        let Some(mut properties) = resource.node.get("Properties") else {
            return Property::LeftOut;
        };
        for _ in 0..DEEPEST {
            let [member] = properties.members() else { break };
            let (true, Some([condition, then, otherwise])) = (member.key == "Fn::If", member.value.list())
            else {
                break;
            };
            let truth = match condition.name() {
                Some(name) => self.condition(stack, scope.assumed, name, 0),
                None => self.truth(scope, condition),
            };
            properties = match truth {
                Truth::True => then,
                Truth::False => otherwise,
                Truth::Unknown(unknown) => return Property::Unknown(unknown),
            };
        }
        if !matches!(properties.value, Value::Map(_) | Value::Null) {
            return Property::Unknown(Unknown::Missing("properties that are no mapping".to_owned()));
        }
        let transform = properties.get("Fn::Transform");
        // `AWS::Include` adds to what is written; what another macro does with it, nobody knows.
        let adds = |argument: &Node| argument.get("Name").and_then(Node::text) == Some("AWS::Include");
        if let Some(argument) = transform.filter(|argument| !adds(argument)) {
            return Property::Unknown(self.opaque_macro(scope, argument));
        }
        if let Some(node) = properties.get(name) {
            return Property::Written(node, resource.loops.clone());
        }
        let mut made = Vec::new();
        let open = self.unroll(stack, scope.assumed, properties, &resource.loops, &mut made, 0);
        let found = made.into_iter().rev().find(|each| each.key == name);
        match (found, open, transform) {
            (Some(found), _, _) => Property::Written(found.node, found.loops),
            (None, Some(unknown), _) => Property::Unknown(unknown),
            (None, None, Some(argument)) => Property::Unknown(self.opaque_macro(scope, argument)),
            (None, None, None) => Property::LeftOut,
        }
    }

    /// A member of a section of a stack: of its conditions, of its outputs.
    pub(super) fn member_of(&self, stack: usize, section: &str, name: &str) -> Option<(&Node, Loops)> {
        let all = self.stacks[stack].section(section)?;
        if let Some(node) = all.get(name) {
            return Some((node, Loops::new()));
        }
        let made = self.made_in(stack, section);
        let found = made.into_iter().find(|made| made.key == name)?;
        Some((found.node, found.loops))
    }

    /// What the loops of a section make. What they run over can't be made by them.
    pub(super) fn made_in(&self, stack: usize, section: &str) -> Vec<Made<'_>> {
        let mut made = Vec::new();
        if let Some(all) = self.stacks[stack].section(section)
            && all.members().iter().any(|member| is_loop(&member.key))
            && !self.unrolling.replace(true)
        {
            self.unroll(stack, None, all, &Loops::new(), &mut made, 0);
            self.unrolling.set(false);
        }
        made
    }

    /// The members that loops make of a mapping; what a loop runs over that isn't known leaves the rest open.
    fn unroll<'a>(
        &self,
        stack: usize,
        assumed: Option<&str>,
        mapping: &'a Node,
        loops: &Loops,
        made: &mut Vec<Made<'a>>,
        depth: usize,
    ) -> Option<Unknown> {
        let mut open = None;
        for member in mapping.members() {
            if !is_loop(&member.key) {
                if depth > 0 {
                    made.push(Made {
                        key: put_in(&member.key, loops),
                        node: &member.value,
                        loops: loops.clone(),
                    });
                }
                continue;
            }
            let turns =
                loop_parts(&member.value)
                    .filter(|_| depth < DEEPEST)
                    .and_then(|(identifier, over, body)| {
                        let scope = Scope::new(stack, assumed, loops);
                        Some((identifier, self.collection(scope, over)?, body))
                    });
            let Some((identifier, values, body)) = turns else {
                open = Some(Unknown::Missing(member.key.clone()));
                continue;
            };
            for value in values {
                if made.len() >= MOST_MEMBERS {
                    return Some(Unknown::Missing(member.key.clone()));
                }
                let mut inner = loops.clone();
                inner.push((identifier.to_owned(), value));
                open = self
                    .unroll(stack, assumed, body, &inner, made, depth + 1)
                    .or(open);
            }
        }
        open
    }
}

fn is_loop(key: &str) -> bool {
    key.starts_with("Fn::ForEach")
}
