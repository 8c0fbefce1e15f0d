//! What may be taken for granted where a resource is looked at: it matters only while its condition holds, and with
//! the condition holds all that it is made of.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::evaluate::{Scope, World};
use super::stack::{Loops, put_in};
use super::text::{Text, Token};
use super::tree::Node;
use super::value::Truth;

/// What follows from a condition. Empty where it says nothing of anything else.
#[derive(Debug, Default)]
pub(super) struct Premises {
    /// Conditions of the stack that hold, or don't.
    conditions: BTreeMap<String, bool>,
    /// What is compared with a known text, and is the same.
    values: BTreeMap<Token, String>,
    /// Texts that aren't the same.
    apart: Vec<(Text, Text)>,
}

impl Premises {
    pub fn condition(&self, name: &str) -> Option<Truth> {
        self.conditions.get(name).map(|holds| match holds {
            true => Truth::True,
            false => Truth::False,
        })
    }

    pub fn value(&self, token: &Token) -> Option<&str> {
        self.values.get(token).map(String::as_str)
    }

    pub fn are_apart(&self, a: &Text, b: &Text) -> bool {
        self.apart
            .iter()
            .any(|(one, other)| (one, other) == (a, b) || (one, other) == (b, a))
    }
}

/// A part of a condition, and the loops around it.
struct Part<'w> {
    node: &'w Node,
    loops: Rc<Loops>,
}

impl<'w> Part<'w> {
    fn inside(&self, node: &'w Node) -> Self {
        Self {
            node,
            loops: Rc::clone(&self.loops),
        }
    }
}

impl World {
    /// What follows from a condition of a stack.
    pub(super) fn premises(&self, stack: usize, assumed: Option<&str>) -> Option<Rc<Premises>> {
        let name = assumed?;
        let key = (stack, name.to_owned());
        if let Some(known) = self.known_premises.borrow().get(&key) {
            return Some(Rc::clone(known));
        }
        let premises = Rc::new(self.follow(stack, name));
        self.known_premises.borrow_mut().insert(key, Rc::clone(&premises));
        Some(premises)
    }

    /// Every condition is looked into once, so this ends.
    fn follow(&self, stack: usize, name: &str) -> Premises {
        let mut premises = Premises::default();
        let mut open: Vec<(Part<'_>, bool)> = Vec::new();
        let mut either: Vec<(Vec<Part<'_>>, bool)> = Vec::new();
        open.extend(self.take(stack, name, true, &mut premises));
        loop {
            while let Some((part, holds)) = open.pop() {
                let [member] = part.node.members() else { continue };
                match (member.key.as_str(), member.value.list(), holds) {
                    ("Condition", _, _) => {
                        if let Some(name) = member.value.name() {
                            open.extend(self.take(stack, &put_in(name, &part.loops), holds, &mut premises));
                        }
                    }
                    ("Fn::Not", Some([inner]), _) => open.push((part.inside(inner), !holds)),
                    ("Fn::And", Some(parts), true) | ("Fn::Or", Some(parts), false) => {
                        open.extend(parts.iter().map(|inner| (part.inside(inner), holds)));
                    }
                    ("Fn::And", Some(parts), false) | ("Fn::Or", Some(parts), true) => {
                        either.push((parts.iter().map(|inner| part.inside(inner)).collect(), holds));
                    }
                    ("Fn::Equals", Some([a, b]), _) => {
                        self.compare(stack, &part.inside(a), &part.inside(b), holds, &mut premises);
                    }
                    (_, _, _) => {}
                }
            }
            // Of several of which one must be so, all but one aren't.
            let isnt = |part: &Part<'_>, holds: bool| self.is(stack, part, &premises) == Some(!holds);
            let last = either
                .iter()
                .position(|(parts, holds)| parts.iter().filter(|part| !isnt(part, *holds)).count() <= 1);
            let Some(last) = last else { return premises };
            let (parts, holds) = either.swap_remove(last);
            let rest = parts.into_iter().find(|part| !isnt(part, holds));
            open.extend(rest.map(|part| (part, holds)));
        }
    }

    /// Takes a condition for granted; gives what it is made of.
    fn take(
        &self,
        stack: usize,
        name: &str,
        holds: bool,
        premises: &mut Premises,
    ) -> Option<(Part<'_>, bool)> {
        if premises.conditions.contains_key(name) {
            return None;
        }
        premises.conditions.insert(name.to_owned(), holds);
        let (node, loops) = self.member_of(stack, "Conditions", name)?;
        let loops = Rc::new(loops);
        Some((Part { node, loops }, holds))
    }

    fn is(&self, stack: usize, part: &Part<'_>, premises: &Premises) -> Option<bool> {
        if let [member] = part.node.members()
            && member.key == "Condition"
            && let Some(name) = member.value.name()
            && let Some(known) = premises.conditions.get(&put_in(name, &part.loops))
        {
            return Some(*known);
        }
        match self.truth(Scope::new(stack, None, &part.loops), part.node) {
            Truth::True => Some(true),
            Truth::False => Some(false),
            Truth::Unknown(_) => None,
        }
    }

    fn compare(&self, stack: usize, a: &Part<'_>, b: &Part<'_>, holds: bool, premises: &mut Premises) {
        let text = |part: &Part<'_>| {
            let value = self.evaluate(Scope::new(stack, None, &part.loops), part.node);
            value.as_text().filter(|_| !value.is_maybe())
        };
        let (Some(a), Some(b)) = (text(a), text(b)) else {
            return;
        };
        if !holds {
            premises.apart.push((a, b));
            return;
        }
        for (one, other) in [(&a, &b), (&b, &a)] {
            if let (Some(token), Some(known)) = (one.as_token(), other.known()) {
                premises.values.insert(token, known.to_owned());
            }
        }
    }

    /// The values that a parameter may have, where the template lists them: without those that it is known not to have.
    pub(super) fn allowed(&self, scope: Scope<'_>, node: &Node) -> Option<BTreeSet<String>> {
        let [member] = node.members() else { return None };
        let name = member.value.name().filter(|_| member.key == "Ref")?;
        let declared = self.stacks[scope.stack].section("Parameters")?.get(name)?;
        let is_list = |kind: &str| kind == "CommaDelimitedList" || kind.contains('<');
        if declared.get("Type").and_then(Node::text).is_some_and(is_list) {
            return None;
        }
        let allowed = declared.get("AllowedValues")?.list()?;
        let premises = self.premises(scope.stack, scope.assumed);
        let value = self.evaluate(scope, node).as_text()?;
        let is_possible = |text: &&str| {
            let text = Text::literal(text);
            premises
                .as_ref()
                .is_none_or(|premises| !premises.are_apart(&value, &text))
        };
        let texts: Option<Vec<&str>> = allowed.iter().map(Node::text).collect();
        Some(
            texts?
                .into_iter()
                .filter(is_possible)
                .map(str::to_owned)
                .collect(),
        )
    }
}
