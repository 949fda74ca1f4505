//! Questions in SQL, as named queries of the workgroup.
//!
//! Not for judging the SQL. The decision to know: a question's name is the remark that stands before it, and without
//! one its number.

use serde_json::json;

use crate::plan::Plan;
use crate::reference;
use crate::template::Template;

/// A statement with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub name: String,
    pub sql: String,
}

/// The statements of a text.
pub fn read(text: &str) -> Vec<Question> {
    let mut questions = Vec::new();
    let (mut name, mut sql) = (String::new(), String::new());
    for line in text.lines() {
        match line.trim().strip_prefix("--") {
            Some(remark) if sql.trim().is_empty() => name = remark.trim().to_owned(),
            _ => {
                sql.push_str(line);
                sql.push('\n');
            }
        }
        if line.trim_end().ends_with(';') {
            push(&mut questions, &mut name, &mut sql);
        }
    }
    push(&mut questions, &mut name, &mut sql);
    questions
}

fn push(questions: &mut Vec<Question>, name: &mut String, sql: &mut String) {
    let statement = sql.trim().trim_end_matches(';').trim();
    if !statement.is_empty() {
        let name = if name.is_empty() { format!("Question {}", questions.len() + 1) } else { name.clone() };
        questions.push(Question { name, sql: statement.to_owned() });
    }
    name.clear();
    sql.clear();
}

pub fn add(plan: &Plan<'_>, template: &mut Template) {
    for own in &plan.pipelines {
        let Some(database) = plan.database(own.pipeline) else { continue };
        let questions = read(&own.questions);
        if !questions.is_empty() {
            template.remark(&format!("Questions to ask of {}.", own.pipeline.name));
        }
        for (number, question) in questions.iter().enumerate() {
            let properties = json!({
                "Name": format!("{}: {}", own.pipeline.name, question.name),
                "Database": database,
                "WorkGroup": reference("Workgroup"),
                "QueryString": question.sql,
            });
            template.add(&format!("Question{}{}", own.id, number + 1), "AWS::Athena::NamedQuery", properties);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_have_the_name_before_them() {
        let text = "-- One\nSELECT 1;\n\n-- Two\n-- Really two\nSELECT a, -- inside\n  b\nFROM t;\nSELECT 3";
        let questions = read(text);
        let names: Vec<&str> = questions.iter().map(|question| question.name.as_str()).collect();
        assert_eq!(names, ["One", "Really two", "Question 3"]);
        assert_eq!(questions[1].sql, "SELECT a, -- inside\n  b\nFROM t");
        assert_eq!(read("-- nothing\n"), []);
    }
}
