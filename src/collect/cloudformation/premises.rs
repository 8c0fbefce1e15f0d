//! What may be taken for granted where a resource is looked at: it matters only while its condition holds, and with
//! the condition holds all that it is made of.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::evaluate::{Scope, World};
use super::stack::Loops;
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
        let mut open: Vec<(&Node, bool)> = Vec::new();
        let mut either: Vec<(&[Node], bool)> = Vec::new();
        self.take(stack, name, true, &mut premises, &mut open);
        loop {
            while let Some((node, holds)) = open.pop() {
                let [member] = node.members() else { continue };
                match (member.key.as_str(), member.value.list(), holds) {
                    ("Condition", _, _) => {
                        if let Some(name) = member.value.text() {
                            self.take(stack, name, holds, &mut premises, &mut open);
                        }
                    }
                    ("Fn::Not", Some([part]), _) => open.push((part, !holds)),
                    ("Fn::And", Some(parts), true) | ("Fn::Or", Some(parts), false) => {
                        open.extend(parts.iter().map(|part| (part, holds)));
                    }
                    ("Fn::And", Some(parts), false) | ("Fn::Or", Some(parts), true) => {
                        either.push((parts, holds));
                    }
                    ("Fn::Equals", Some([a, b]), _) => self.compare(stack, (a, b), holds, &mut premises),
                    (_, _, _) => {}
                }
            }
            // Of several of which one must be so, all but one aren't.
            let last = either.iter().position(|(parts, holds)| {
                let isnt = |part: &&Node| self.is(stack, part, &premises) == Some(!*holds);
                parts.iter().filter(|part| !isnt(part)).count() <= 1
            });
            let Some(last) = last else { return premises };
            let (parts, holds) = either.swap_remove(last);
            let rest = parts
                .iter()
                .find(|part| self.is(stack, part, &premises) != Some(!holds));
            open.extend(rest.map(|part| (part, holds)));
        }
    }

    fn take<'w>(
        &'w self,
        stack: usize,
        name: &str,
        holds: bool,
        premises: &mut Premises,
        open: &mut Vec<(&'w Node, bool)>,
    ) {
        if premises.conditions.contains_key(name) {
            return;
        }
        premises.conditions.insert(name.to_owned(), holds);
        let definition = self.stacks[stack]
            .section("Conditions")
            .and_then(|all| all.get(name));
        open.extend(definition.map(|node| (node, holds)));
    }

    fn is(&self, stack: usize, part: &Node, premises: &Premises) -> Option<bool> {
        if let [member] = part.members()
            && member.key == "Condition"
            && let Some(known) = member.value.text().and_then(|name| premises.conditions.get(name))
        {
            return Some(*known);
        }
        match self.truth(Scope::new(stack, None, &Loops::new()), part) {
            Truth::True => Some(true),
            Truth::False => Some(false),
            Truth::Unknown(_) => None,
        }
    }

    fn compare(&self, stack: usize, (a, b): (&Node, &Node), holds: bool, premises: &mut Premises) {
        let text = |node| {
            let value = self.evaluate(Scope::new(stack, None, &Loops::new()), node);
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
        let name = member.value.text().filter(|_| member.key == "Ref")?;
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
