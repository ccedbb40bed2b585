//! `aws ecr describe-pull-through-cache-rules`: JSON or YAML, one page or several in a row, or only the list
//! (`--query pullThroughCacheRules`). The region is not in it (ECR API model).

use super::{Names, Node, Reader, Source, literal};

const KEY: &str = "pullThroughCacheRules";

pub(super) const SOURCE: Source = Source {
    name: "what `aws ecr describe-pull-through-cache-rules` prints",
    knows,
    read,
    instead: "run `aws ecr describe-pull-through-cache-rules --output json > rules.json` again and give that file",
};

fn is_rule(node: &Node) -> bool {
    node.get(Names::CAMEL.prefix).is_some() && node.get("type").is_none()
}

fn knows(document: &Node) -> bool {
    let is_page = |node: &Node| node.get(KEY).is_some_and(Node::is_list);
    is_page(document)
        || is_rule(document)
        || document.items().any(|item| is_page(item) || is_rule(item))
}

fn read(document: &Node, reader: &mut Reader<'_>) {
    let pages = document.maps().filter(|page| page.get(KEY).is_some());
    for page in pages {
        let rules = page.get(KEY).into_iter().flat_map(Node::items);
        rules.for_each(|rule| add(rule, reader));
        reader.imported.has_pages = true;
        reader.imported.open = page.get("nextToken").map(|token| {
            reader.place(
                token.line,
                "the answer goes on after this page (`nextToken`); run `aws` without `--max-items` and `--no-paginate`, or give all pages",
            )
        });
    }
    document
        .maps()
        .filter(|node| is_rule(node))
        .for_each(|rule| add(rule, reader));
}

fn add(rule: &Node, reader: &mut Reader<'_>) {
    reader.rule("the rule", rule, &Names::CAMEL, &literal, None);
}
