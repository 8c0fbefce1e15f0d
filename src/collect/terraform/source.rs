//! The configuration's own files: where a resource is written, and what stands around it.
//!
//! A plan doesn't say where its resources are written. `.terraform/modules/modules.json` says in which folder each
//! module is; the block is found by its labels. A module that comes from elsewhere isn't in the repository: what it
//! declares is placed at the block that calls it, and nothing in it is evaluated.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use hcl_edit::Span;
use hcl_edit::expr::{Expression, TraversalOperator};
use hcl_edit::structure::{Block, Body, Structure};
use hcl_edit::template::Element;
use serde::Deserialize;

use super::address::{Address, Call};
use super::comments;
use crate::inventory::{Allowance, Document, Place, Title};

/// Blocks in blocks deeper than this hold no argument that is looked for.
const DEEPEST: usize = 8;

/// Gives the files of a folder that Terraform reads: each with its path and its text. No text where it isn't in HCL's
/// own syntax, or can't be had.
pub type Load<'l> = dyn Fn(&str) -> Vec<(String, Option<String>)> + 'l;

/// A configuration, read as far as it is asked for.
pub struct Sources<'l> {
    root: String,
    load: &'l Load<'l>,
    /// The folder of each module, by the names of the calls that lead to it.
    modules: BTreeMap<String, String>,
    folders: RefCell<BTreeMap<String, Rc<Folder>>>,
}

#[derive(Deserialize)]
struct ModulesFile {
    #[serde(rename = "Modules", default)]
    modules: Vec<ModuleEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ModuleEntry {
    #[serde(default)]
    key: String,
    #[serde(default)]
    dir: String,
}

/// The blocks of one folder, by their kind and labels.
#[derive(Default)]
pub(super) struct Folder {
    blocks: BTreeMap<String, Written>,
    /// What `locals` name; nothing where a name is given twice.
    locals: BTreeMap<String, Option<Expression>>,
    /// The files that aren't read. They may override whatever is written in the others: nothing here is evaluated.
    unread: Vec<String>,
}

/// A block as it is written.
struct Written {
    block: Block,
    /// Another block has the same labels: one overrides the other.
    is_repeated: bool,
    document: Arc<Document>,
    /// Its first line.
    header: Range<usize>,
    /// The values of its arguments, by their path without numbers: `logging/target_bucket`.
    arguments: BTreeMap<String, Argument>,
    allowances: Vec<Allowance>,
    /// Of a module: where it comes from.
    source: Option<String>,
}

#[derive(Clone)]
struct Argument {
    span: Range<usize>,
    /// Text is added to what it refers to: the value is no name by itself.
    is_built: bool,
}

/// Where a module is.
enum Located {
    Here(Rc<Folder>),
    /// It comes from elsewhere: the block that calls it.
    Outside(Found),
}

/// Where a resource is written.
pub(super) struct Found {
    folder: Rc<Folder>,
    key: String,
    /// It is in a module from elsewhere: the block is the one that calls it.
    is_outside: bool,
}

impl<'l> Sources<'l> {
    /// A configuration in a folder, with the text of its `.terraform/modules/modules.json`, where there is one.
    pub fn new(root: &str, modules: Option<&str>, load: &'l Load<'l>) -> Self {
        let entries = modules
            .and_then(|text| serde_json::from_str::<ModulesFile>(text).ok())
            .map(|file| file.modules)
            .unwrap_or_default();
        Self {
            root: root.to_owned(),
            load,
            modules: entries.into_iter().map(|entry| (entry.key, entry.dir)).collect(),
            folders: RefCell::new(BTreeMap::new()),
        }
    }

    /// The block of a resource.
    pub(super) fn find(&self, address: &Address) -> Option<Found> {
        let folder = match self.locate(&address.scope)? {
            Located::Here(folder) => folder,
            Located::Outside(found) => return Some(found),
        };
        let key = address.block_name();
        folder.blocks.contains_key(&key).then_some(Found {
            folder,
            key,
            is_outside: false,
        })
    }

    /// The folder of a module, where it is in the repository.
    pub(super) fn folder_of(&self, scope: &[Call]) -> Option<Rc<Folder>> {
        match self.locate(scope)? {
            Located::Here(folder) => Some(folder),
            Located::Outside(_) => None,
        }
    }

    /// What to say of the files that were met and not read.
    pub(super) fn remark(&self) -> Option<String> {
        let folders = self.folders.borrow();
        let unread: Vec<&str> = folders
            .values()
            .flat_map(|folder| &folder.unread)
            .map(String::as_str)
            .collect();
        let more = match unread.len().checked_sub(1)? {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let first = unread.first()?;
        Some(format!(
            "{first}{more} wasn't read (JSON, no HCL, or too large) and may override what stands beside it: nothing in \
             that folder is evaluated"
        ))
    }

    fn locate(&self, scope: &[Call]) -> Option<Located> {
        let mut folder = self.root.clone();
        let mut path = String::new();
        for call in scope {
            let here = self.folder(&folder);
            let key = format!("module {}", call.name);
            let block = here.blocks.get(&key)?;
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(&call.name);
            let local = block
                .source
                .as_deref()
                .filter(|source| source.starts_with("./") || source.starts_with("../"))
                .map(|source| joined(&folder, source));
            let listed = self
                .modules
                .get(&path)
                .filter(|dir| !dir.split('/').any(|part| part == ".terraform"))
                .map(|dir| joined(&self.root, dir));
            match listed.or(local) {
                Some(inner) => folder = inner,
                None => {
                    return Some(Located::Outside(Found {
                        folder: here,
                        key,
                        is_outside: true,
                    }));
                }
            }
        }
        Some(Located::Here(self.folder(&folder)))
    }

    fn folder(&self, path: &str) -> Rc<Folder> {
        if let Some(folder) = self.folders.borrow().get(path) {
            return Rc::clone(folder);
        }
        let mut folder = Folder::default();
        let mut files = (self.load)(path);
        // OpenTofu's own files go before Terraform's of the same name.
        files.sort_by_key(|(path, _)| (path.ends_with(".tofu"), path.clone()));
        for (path, text) in files {
            let is_read = text.is_some_and(|text| folder.read(&path, text.into()));
            if !is_read {
                folder.unread.push(path);
            }
        }
        let folder = Rc::new(folder);
        self.folders
            .borrow_mut()
            .insert(path.to_owned(), Rc::clone(&folder));
        folder
    }
}

/// A path below a folder, without `.` and `..` as far as that goes.
fn joined(folder: &str, relative: &str) -> String {
    let whole = match relative.starts_with('/') {
        true => relative.to_owned(),
        false => format!("{folder}/{relative}"),
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" if !parts.is_empty() => {}
            "." => {}
            ".." if parts.last().is_some_and(|last| !matches!(*last, ".." | "")) => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    match parts.is_empty() {
        true => ".".to_owned(),
        false => parts.join("/"),
    }
}

impl Found {
    fn written(&self) -> Option<&Written> {
        self.folder.blocks.get(&self.key)
    }

    /// The place of an argument (`/logging/0/target_bucket`), or of the block where it isn't written there.
    pub fn place(&self, pointer: &str) -> Option<Place> {
        let written = self.written()?;
        let argument = match self.is_outside {
            true => None,
            false => written.argument(pointer),
        };
        let mut place = Place::new(&written.document, "");
        place.span = Some(argument.map_or_else(|| written.header.clone(), |argument| argument.span.clone()));
        Some(place)
    }

    /// Whether the argument adds text of its own to what it refers to: `"${aws_s3_bucket.app.id}-logs"`.
    pub fn is_built(&self, pointer: &str) -> bool {
        let argument = self.written().and_then(|written| written.argument(pointer));
        !self.is_outside && argument.is_some_and(|argument| argument.is_built)
    }

    /// Whether the block is the one that calls the module which holds the resource.
    pub fn is_outside(&self) -> bool {
        self.is_outside
    }

    pub fn allowances(&self) -> Vec<Allowance> {
        self.written()
            .map(|written| written.allowances.clone())
            .unwrap_or_default()
    }
}

impl Written {
    /// The argument at a pointer, or the nearest one around it.
    fn argument(&self, pointer: &str) -> Option<&Argument> {
        let segments: Vec<&str> = pointer
            .split('/')
            .filter(|segment| !segment.is_empty() && segment.bytes().any(|byte| !byte.is_ascii_digit()))
            .collect();
        (1..=segments.len())
            .rev()
            .find_map(|length| self.arguments.get(&segments[..length].join("/")))
    }
}

impl Folder {
    /// Whether it was read: a file that isn't HCL that can be read places nothing; the plan was made of it all the same.
    fn read(&mut self, path: &str, text: Arc<str>) -> bool {
        let Ok(body) = hcl_edit::parser::parse_body(&text) else {
            return false;
        };
        let document = Arc::new(Document {
            title: Title::File {
                path: path.to_owned(),
            },
            text,
            host: None,
        });
        for block in body.iter().filter_map(Structure::as_block) {
            let labels: Vec<&str> = block.labels.iter().map(|label| label.as_str()).collect();
            let key = format!("{} {}", block.ident.as_str(), labels.join(" "));
            if block.ident.as_str() == "locals" {
                for local in block.body.attributes() {
                    self.locals
                        .entry(local.key.as_str().to_owned())
                        .and_modify(|earlier| *earlier = None)
                        .or_insert_with(|| Some(local.value.clone()));
                }
                continue;
            }
            if let Some(span) = block.span() {
                let mut written = written(block, &span, &document);
                written.is_repeated = self.blocks.contains_key(&key);
                self.blocks.insert(key, written);
            }
        }
        true
    }

    /// A block by its kind and labels, where there is one and nothing overrides it.
    pub fn block(&self, key: &str) -> Option<&Block> {
        let written = self.blocks.get(key)?;
        (!written.is_repeated && self.unread.is_empty()).then_some(&written.block)
    }

    /// A block as it is written, whatever overrides it.
    pub fn written_block(&self, key: &str) -> Option<&Block> {
        self.blocks.get(key).map(|written| &written.block)
    }

    pub fn local(&self, name: &str) -> Option<&Expression> {
        let is_whole = self.unread.is_empty();
        self.locals.get(name).filter(|_| is_whole)?.as_ref()
    }
}

fn written(block: &Block, span: &Range<usize>, document: &Arc<Document>) -> Written {
    let text = &document.text;
    let first_line = text.get(span.clone()).and_then(|block| block.lines().next());
    let header = span.start..span.start + first_line.map_or(0, |line| line.trim_end().len());
    let mut arguments = BTreeMap::new();
    collect(&block.body, "", 0, &mut arguments);
    let source = block
        .body
        .get_attribute("source")
        .and_then(|attribute| match &attribute.value {
            Expression::String(text) => Some(text.value().to_string()),
            _ => None,
        });
    Written {
        block: block.clone(),
        is_repeated: false,
        allowances: allowances(text, span, document),
        document: Arc::clone(document),
        header,
        arguments,
        source,
    }
}

/// The recursion is bounded: blocks nest no deeper than is looked for.
fn collect(body: &Body, path: &str, depth: usize, arguments: &mut BTreeMap<String, Argument>) {
    for structure in body {
        match structure {
            Structure::Attribute(attribute) => {
                if let Some(span) = attribute.value.span() {
                    let argument = Argument {
                        span,
                        is_built: is_built(&attribute.value),
                    };
                    arguments
                        .entry(format!("{path}{}", attribute.key.as_str()))
                        .or_insert(argument);
                }
            }
            Structure::Block(block) => {
                // A dynamic block writes what is in its content.
                let (name, inner) = match (block.ident.as_str(), block.labels.first()) {
                    ("dynamic", Some(label)) => (
                        label.as_str(),
                        block.body.get_blocks("content").next().map(|block| &block.body),
                    ),
                    (name, _) => (name, Some(&block.body)),
                };
                let name = format!("{path}{name}");
                if let Some(span) = block.span() {
                    arguments.entry(name.clone()).or_insert(Argument {
                        span,
                        is_built: false,
                    });
                }
                if let Some(inner) = inner
                    && depth < DEEPEST
                {
                    collect(inner, &format!("{name}/"), depth + 1, arguments);
                }
            }
        }
    }
}

fn is_built(expression: &Expression) -> bool {
    match expression {
        Expression::StringTemplate(template) => {
            template.iter().count() > 1
                || template
                    .iter()
                    .any(|element| matches!(element, Element::Literal(_)))
        }
        Expression::HeredocTemplate(_) => true,
        // These hand on one of their arguments as it is.
        Expression::FuncCall(call) => !matches!(
            call.name.name.as_str(),
            "coalesce" | "try" | "one" | "element" | "lookup" | "tostring" | "sensitive" | "nonsensitive"
        ),
        // An index that is reckoned is another instance than the own one.
        Expression::Traversal(traversal) => traversal.operators.iter().any(
            |operator| matches!(operator.value(), TraversalOperator::Index(index) if !is_plain_index(index)),
        ),
        _ => false,
    }
}

/// `0`, `"a"`, `count.index`, `each.key`, `var.name`
fn is_plain_index(index: &Expression) -> bool {
    match index {
        Expression::Number(_) | Expression::String(_) => true,
        Expression::Traversal(traversal) => matches!(traversal.expr, Expression::Variable(_)),
        _ => false,
    }
}

/// The comments on the lines right above a block, within it, and behind it on its last line, that allow something.
fn allowances(text: &str, span: &Range<usize>, document: &Arc<Document>) -> Vec<Allowance> {
    let start = comments::start_above(text, span.start);
    let mut all = Vec::new();
    let behind = text.get(span.end..).and_then(|rest| rest.lines().next());
    let end = span.end + behind.unwrap_or_default().len();
    for comment in comments::find(text.get(start..end).unwrap_or_default()) {
        let at = |range: Range<usize>| start + range.start..start + range.end;
        let mut place = Place::new(document, "");
        place.span = Some(at(comment.whole));
        all.extend(Allowance::in_comment(&text[at(comment.text)], &place));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIN: &str = "\
# s3log-lint: allow S3L009 it holds nothing
resource \"aws_s3_bucket\" \"app\" {
  bucket = \"app-data\"
  logging {
    target_bucket = aws_s3_bucket.logs.id
    target_prefix = \"${aws_s3_bucket.app.id}/\"
  }
}

module \"logs\" {
  source = \"./logs\"
}

module \"far\" {
  source  = \"terraform-aws-modules/s3-bucket/aws\"
}
";

    fn load(folder: &str) -> Vec<(String, Option<String>)> {
        match folder {
            "infra" => vec![("infra/main.tf".to_owned(), Some(MAIN.to_owned()))],
            "infra/logs" => vec![(
                "infra/logs/main.tf".to_owned(),
                Some("resource \"aws_s3_bucket\" \"this\" {}\n".to_owned()),
            )],
            _ => Vec::new(),
        }
    }

    fn told(address: &str, pointer: &str) -> Option<(String, String)> {
        let sources = Sources::new("infra", None, &load);
        let place = sources.find(&Address::parse(address)?)?.place(pointer)?;
        let text = place.document.text[place.span?].to_owned();
        Some((place.document.path()?.to_owned(), text))
    }

    #[test]
    fn an_argument_is_found_where_it_is_written() {
        let main = |text: &str| Some(("infra/main.tf".to_owned(), text.to_owned()));
        assert_eq!(
            told("aws_s3_bucket.app", "/logging/0/target_bucket"),
            main("aws_s3_bucket.logs.id")
        );
        assert_eq!(told("aws_s3_bucket.app[0]", "/bucket"), main("\"app-data\""));
        assert_eq!(
            told("aws_s3_bucket.app", "/versioning"),
            main("resource \"aws_s3_bucket\" \"app\" {")
        );
        assert_eq!(told("aws_s3_bucket.other", ""), None);
    }

    #[test]
    fn a_module_of_the_repository_is_entered_and_one_from_elsewhere_is_not() {
        assert_eq!(
            told("module.logs.aws_s3_bucket.this", ""),
            Some((
                "infra/logs/main.tf".to_owned(),
                "resource \"aws_s3_bucket\" \"this\" {}".to_owned()
            ))
        );
        assert_eq!(
            told("module.far[\"x\"].module.deep.aws_s3_bucket.this[0]", "/bucket"),
            Some(("infra/main.tf".to_owned(), "module \"far\" {".to_owned()))
        );
    }

    #[test]
    fn the_list_of_modules_says_where_they_are() {
        let list = r#"{"Modules":[{"Key":"","Dir":"."},{"Key":"far","Source":"x","Dir":".terraform/modules/far"},
            {"Key":"logs","Source":"y","Dir":"logs"}]}"#;
        let sources = Sources::new("infra", Some(list), &load);
        let address = Address::parse("module.logs.aws_s3_bucket.this").expect("an address");
        assert!(sources.find(&address).is_some_and(|found| !found.is_outside));
        let far = Address::parse("module.far.aws_s3_bucket.this").expect("an address");
        assert!(sources.find(&far).is_some_and(|found| found.is_outside));
    }

    #[test]
    fn what_is_put_together_is_no_name() {
        let sources = Sources::new("infra", None, &load);
        let found = sources
            .find(&Address::parse("aws_s3_bucket.app").expect("an address"))
            .expect("it is written");
        assert!(!found.is_built("/logging/0/target_bucket"));
        assert!(found.is_built("/logging/0/target_prefix"));
        let allowances = found.allowances();
        assert_eq!(allowances.len(), 1);
        assert_eq!(allowances[0].rule, "S3L009");
        assert_eq!(allowances[0].reason, "it holds nothing");
    }

    #[test]
    fn broken_files_place_nothing() {
        let load = |_: &str| {
            vec![(
                "main.tf".to_owned(),
                Some("resource \"aws_s3_bucket\" {{{".to_owned()),
            )]
        };
        let sources = Sources::new(".", None, &load);
        let address = Address::parse("aws_s3_bucket.app").expect("an address");
        assert!(sources.find(&address).is_none());
        let remark = sources.remark().expect("a remark");
        assert!(remark.starts_with("main.tf wasn't read"), "{remark}");
        let whole = Sources::new("infra", None, &self::load);
        assert!(whole.find(&address).is_some() && whole.remark().is_none());
        for text in [
            "{".repeat(50_000),
            "a = [".repeat(50_000),
            "a = \"${".repeat(20_000),
        ] {
            let load = |_: &str| vec![("main.tf".to_owned(), Some(text.clone()))];
            assert!(Sources::new(".", None, &load).find(&address).is_none());
        }
    }

    #[test]
    fn a_suppression_is_a_comment_and_no_text() {
        let text = "/* s3log-lint: allow S3L007 above */\nresource \"aws_s3_bucket\" \"a\" {\n  tags = { note = \"# \
                    s3log-lint: allow S3L001 a text\" }\n  #s3log-lint: allow S3L002 within\n} # s3log-lint: allow S3L003 \
                    behind\n# s3log-lint: allow S3L004 of the next\n";
        let document = Arc::new(Document {
            title: Title::File {
                path: "main.tf".to_owned(),
            },
            text: text.into(),
            host: None,
        });
        let start = text.find("resource").expect("it stands there");
        let end = text.find("} # s3log").expect("it stands there") + 1;
        let rules: Vec<String> = allowances(text, &(start..end), &document)
            .into_iter()
            .map(|allowance| allowance.rule)
            .collect();
        assert_eq!(rules, ["S3L007", "S3L002", "S3L003"]);
    }
}
