//! What the policy of a template comes to while names and accounts aren't known: right where it can be told, unknown
//! where it can't, and never a guess.

use std::collections::BTreeMap;

use s3log_lint::collect::cloudformation::{Hints, Parameter};
use s3log_lint::collect::overlay;
use s3log_lint::graph::LogGraph;
use s3log_lint::name::{AccountId, Region};
use s3log_lint::rules;

use crate::try_read;

/// The decision about `App`, which logs to `Logs` with the prefix `app/`; neither has a name.
fn grant_with(statement: &str, hints: &Hints) -> &'static str {
    let template = format!(
        "Parameters: {{P: {{Type: String}}}}
Resources:
  Logs: {{Type: 'AWS::S3::Bucket'}}
  App: {{Type: 'AWS::S3::Bucket', Properties: {{LoggingConfiguration: {{DestinationBucketName: !Ref Logs, LogFilePrefix: app/}}}}}}
  Other: {{Type: 'AWS::S3::Bucket'}}
  Role: {{Type: 'AWS::IAM::Role'}}
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Logs
      PolicyDocument:
        Version: 2012-10-17
        Statement:
{statement}"
    );
    let deployment =
        try_read(&[("t.yaml", &template)], hints).unwrap_or_else(|error| panic!("{error}\n{template}"));
    let inventory = overlay::alone(&[deployment]);
    let graph = LogGraph::new(&inventory);
    let outcome = rules::run(&graph, &[]);
    let grants: Vec<_> = outcome.edges.iter().map(|edge| edge.grant).collect();
    assert_eq!(grants.len(), 1, "{template}");
    grants[0]
}

fn statement(effect: &str, principal: &str, resource: &str, condition: &str) -> String {
    format!(
        "          - Effect: {effect}\n            Principal: {principal}\n            Action: s3:PutObject\n            \
         Resource: {resource}\n            Condition: {condition}\n"
    )
}

const SERVICE: &str = "{Service: logging.s3.amazonaws.com}";

fn allow(resource: &str, condition: &str) -> &'static str {
    grant_with(
        &statement("Allow", SERVICE, resource, condition),
        &Hints::default(),
    )
}

#[test]
fn a_name_that_isnt_known_is_still_the_same_name() {
    for (resource, expected) in [
        ("!Sub '${Logs.Arn}/*'", "allowed"),
        ("!Sub '${Logs.Arn}/app/*'", "allowed"),
        ("!Sub 'arn:${AWS::Partition}:s3:::${Logs}/app/*'", "allowed"),
        ("!Join ['', [!GetAtt Logs.Arn, /app/, '*']]", "allowed"),
        ("!Sub '${Logs.Arn}*'", "allowed"),
        ("'arn:aws:s3:::*'", "allowed"),
        ("'arn:aws:s3:::*/app/*'", "allowed"),
        ("!Sub '${Logs.Arn}/web/*'", "not-granted"),
        ("!GetAtt Logs.Arn", "not-granted"),
        ("!Sub '${Other.Arn}/*'", "not-granted"),
        ("!Sub '${App.Arn}/*'", "not-granted"),
        ("'arn:aws:s3:::*/web/*'", "not-granted"),
        // A pattern or a name may be the one that is made up.
        ("'arn:aws:s3:::prod-*'", "unknown"),
        ("'arn:aws:s3:::t-logs-1abc2def/*'", "unknown"),
        ("'arn:aws:s3:::???/app/*'", "unknown"),
        ("'arn:aws:s3:::*ogs/*'", "unknown"),
        ("'arn:aws:s3:::prod-*/web/*'", "not-granted"),
        ("!Sub 'arn:aws:s3:::${P}/*'", "unknown"),
        ("!Sub '${P}/*'", "unknown"),
        ("!Sub '${Logs.Arn}/${P}*'", "unknown"),
    ] {
        assert_eq!(allow(resource, "{}"), expected, "{resource}");
    }
}

#[test]
fn conditions_on_the_source_are_judged_too() {
    for (condition, expected) in [
        ("{ArnLike: {'aws:SourceArn': !GetAtt App.Arn}}", "allowed"),
        (
            "{ArnEquals: {'aws:SourceArn': !Sub 'arn:aws:s3:::${App}'}}",
            "allowed",
        ),
        (
            "{StringEquals: {'aws:SourceArn': [!GetAtt Other.Arn, !GetAtt App.Arn]}}",
            "allowed",
        ),
        ("{ArnLike: {'aws:SourceArn': 'arn:aws:s3:::*'}}", "allowed"),
        ("{ArnLike: {'aws:SourceArn': !GetAtt Other.Arn}}", "not-granted"),
        ("{ArnLike: {'aws:SourceArn': !GetAtt Logs.Arn}}", "not-granted"),
        ("{ArnLike: {'aws:SourceArn': 'arn:aws:s3:::prod-*'}}", "unknown"),
        (
            "{ArnLike: {'aws:SourceArn': 'arn:aws:s3:::amzn-s3-demo-app'}}",
            "unknown",
        ),
        ("{ArnLike: {'aws:SourceArn': !Ref P}}", "unknown"),
        ("{ArnNotLike: {'aws:SourceArn': !GetAtt App.Arn}}", "not-granted"),
        (
            "{StringEquals: {'aws:SourceAccount': !Ref AWS::AccountId}}",
            "allowed",
        ),
        (
            "{StringNotEquals: {'aws:SourceAccount': !Ref AWS::AccountId}}",
            "not-granted",
        ),
        ("{StringEquals: {'aws:SourceAccount': '111122223333'}}", "unknown"),
        ("{StringEquals: {'aws:SourceAccount': !Ref P}}", "unknown"),
        (
            "{StringEquals: {'aws:SourceAccount': not-an-account}}",
            "not-granted",
        ),
        ("{Bool: {'aws:SecureTransport': !Ref P}}", "unknown"),
    ] {
        assert_eq!(allow("!Sub '${Logs.Arn}/*'", condition), expected, "{condition}");
    }
}

#[test]
fn an_account_that_is_known_settles_it() {
    let hints = |id: &str| Hints {
        account: AccountId::parse(id).ok(),
        region: Region::parse("eu-west-1").ok(),
        parameters: BTreeMap::from([("P".to_owned(), Parameter::Value("app/".to_owned()))]),
        ..Hints::default()
    };
    let to = |condition: &str, id: &str| {
        grant_with(
            &statement("Allow", SERVICE, "!Sub '${Logs.Arn}/${P}*'", condition),
            &hints(id),
        )
    };
    let literal = "{StringEquals: {'aws:SourceAccount': '111122223333'}}";
    assert_eq!(to(literal, "111122223333"), "allowed");
    assert_eq!(to(literal, "444455556666"), "not-granted");
    let pseudo = "{StringEquals: {'aws:SourceAccount': !Ref AWS::AccountId}}";
    assert_eq!(to(pseudo, "444455556666"), "allowed");
}

#[test]
fn what_a_deploy_makes_is_no_service() {
    let mixed = |principal: &str, effect: &str| {
        let allow = statement("Allow", SERVICE, "!Sub '${Logs.Arn}/*'", "{}");
        let second = statement(effect, principal, "!Sub '${Logs.Arn}/*'", "{}");
        grant_with(&format!("{allow}{second}"), &Hints::default())
    };
    for (principal, expected) in [
        ("{AWS: !GetAtt Role.Arn}", "allowed"),
        ("{AWS: !Sub 'arn:aws:iam::${AWS::AccountId}:root'}", "allowed"),
        ("{AWS: !Ref AWS::AccountId}", "allowed"),
        ("{Service: !Sub 'logging.s3.${AWS::URLSuffix}'}", "denied"),
        ("{Service: !Sub '${P}.s3.amazonaws.com'}", "unknown"),
        ("{Service: !Sub '${P}.amazonaws.com.cn'}", "allowed"),
        // It may be a star.
        ("{AWS: !Ref P}", "unknown"),
        ("'*'", "denied"),
    ] {
        assert_eq!(mixed(principal, "Deny"), expected, "{principal}");
    }
}

#[test]
fn an_open_effect_or_action_leaves_the_whole_policy_open() {
    let open = "          - {Effect: !Ref P, Principal: '*', Action: 's3:PutObject', Resource: !Sub '${Logs.Arn}/*'}\n";
    assert_eq!(grant_with(open, &Hints::default()), "unknown");
    let open =
        "          - {Effect: Allow, Principal: '*', Action: !Ref P, Resource: !Sub '${Logs.Arn}/*'}\n";
    assert_eq!(grant_with(open, &Hints::default()), "unknown");
}

#[test]
fn a_variable_of_iam_is_none_of_ours() {
    // Written without `!Sub`, `${AWS::AccountId}` is a variable that IAM doesn't know, and the condition never holds.
    let condition = "{StringEquals: {'aws:SourceAccount': '${AWS::AccountId}'}}";
    assert_ne!(allow("!Sub '${Logs.Arn}/*'", condition), "allowed");
}

/// What is said of one rule about a bucket that everybody may get at, whose policy has these statements: whether it is
/// found, and whether it is left open.
fn said_of(code: &str, statements: &[&str]) -> (bool, bool) {
    let template = format!(
        "Parameters: {{P: {{Type: String}}}}
Resources:
  Logs:
    Type: AWS::S3::Bucket
    Properties:
      PublicAccessBlockConfiguration: {{BlockPublicPolicy: false, RestrictPublicBuckets: false}}
  App: {{Type: 'AWS::S3::Bucket', Properties: {{LoggingConfiguration: {{DestinationBucketName: !Ref Logs, LogFilePrefix: app/}}}}}}
  Role: {{Type: 'AWS::IAM::Role'}}
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Logs
      PolicyDocument:
        Version: 2012-10-17
        Statement:
          - {}\n",
        statements.join("\n          - ")
    );
    let deployment = try_read(&[("t.yaml", &template)], &Hints::default())
        .unwrap_or_else(|error| panic!("{error}\n{template}"));
    let inventory = overlay::alone(&[deployment]);
    let graph = LogGraph::new(&inventory);
    let outcome = rules::run(&graph, &rules::ALL.iter().collect::<Vec<_>>());
    (
        outcome.findings.iter().any(|finding| finding.rule.code == code),
        outcome.undecided.iter().any(|each| each.rule.code == code),
    )
}

const PUBLIC: (bool, bool) = (true, false);
const OPEN: (bool, bool) = (false, true);
const CLOSED: (bool, bool) = (false, false);

#[test]
fn whether_the_world_may_read_is_open_where_the_deploy_tells() {
    let everybody = "{Effect: Allow, Principal: '*', Action: 's3:GetObject', Resource: !Sub '${Logs.Arn}/*'}";
    let allow = |principal: &str, action: &str, resource: &str| {
        let allow =
            format!("{{Effect: Allow, Principal: {principal}, Action: {action}, Resource: {resource}}}");
        said_of("S3L109", &[&allow])
    };
    let all = "!Sub '${Logs.Arn}/*'";
    assert_eq!(allow("'*'", "'s3:Get*'", all), PUBLIC);
    assert_eq!(allow("'*'", "!Ref P", all), OPEN);
    assert_eq!(allow("'*'", "'s3:GetObject'", "!Ref P"), OPEN);
    assert_eq!(
        allow("'*'", "'s3:GetObject'", &format!("[!Ref P, {all}]")),
        PUBLIC
    );
    assert_eq!(allow("{AWS: !Ref P}", "'s3:GetObject'", all), OPEN);
    assert_eq!(allow("{AWS: ['*', !Ref P]}", "'s3:GetObject'", all), PUBLIC);
    // A role is nobody else, whatever it is called; nor is an account.
    assert_eq!(allow("{AWS: !GetAtt Role.Arn}", "'s3:GetObject'", all), CLOSED);
    assert_eq!(
        allow("{AWS: !Sub 'arn:aws:iam::${P}:root'}", "'s3:GetObject'", all),
        CLOSED
    );
    let deny = |resource: &str, condition: &str| {
        let deny = format!(
            "{{Effect: Deny, Principal: '*', Action: 's3:GetObject*', Resource: {resource}, Condition: {condition}}}"
        );
        said_of("S3L109", &[everybody, &deny])
    };
    let elsewhere = "{StringNotEquals: {'aws:SourceVpce': vpce-1}}";
    assert_eq!(deny(all, elsewhere), CLOSED);
    assert_eq!(deny(all, "{Bool: {'aws:SecureTransport': 'false'}}"), PUBLIC);
    assert_eq!(deny("!Sub '${P}/*'", elsewhere), OPEN);
    assert_eq!(deny(&format!("[!Ref P, {all}]"), elsewhere), CLOSED);
}

#[test]
fn an_account_that_the_deploy_tells_scopes_nothing_beside_all_accounts() {
    let grant = |condition: &str| {
        let grant = format!(
            "{{Effect: Allow, Principal: {SERVICE}, Action: 's3:PutObject', Resource: !Sub '${{Logs.Arn}}/*', Condition: \
             {condition}}}"
        );
        said_of("S3L104", &[&grant])
    };
    assert_eq!(grant("{StringLike: {'aws:SourceAccount': ['*']}}"), PUBLIC);
    assert_eq!(
        grant("{StringLike: {'aws:SourceAccount': ['*', !Ref P]}}"),
        PUBLIC
    );
    assert_eq!(
        grant("{ArnLike: {'aws:SourceArn': [!Ref P, 'arn:aws:s3:::*']}}"),
        PUBLIC
    );
    assert_eq!(
        grant("{StringLike: {'aws:SourceAccount': ['1111222233*', !Ref P]}}"),
        CLOSED
    );
    assert_eq!(grant("{StringLike: {'aws:SourceAccount': !Ref P}}"), CLOSED);
}
