# Needs Terraform 1.7 or newer (mock_provider), and no account.

mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_data "aws_region" {
    defaults = { id = "us-east-2" }
  }
  mock_data "aws_partition" {
    defaults = { dns_suffix = "amazonaws.com" }
  }
  mock_resource "aws_iam_openid_connect_provider" {
    defaults = { arn = "arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com" }
  }
}

variables {
  name         = "gitops"
  repositories = [{ name = "acme/infrastructure" }]
  storage = {
    bucket_arn  = "arn:aws:s3:::acme-planfiles"
    kms_key_arn = "arn:aws:kms:us-east-2:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    table_arn   = "arn:aws:dynamodb:us-east-2:111111111111:table/acme-plans"
  }
}

run "roles_that_trust_what_they_are_for" {
  assert {
    condition     = { for k, r in aws_iam_role.this : k => r.name } == { plan = "gitops-plan", plan_storage = "gitops-plan-storage", apply = "gitops-apply", apply_storage = "gitops-apply-storage", drift_storage = "gitops-drift-storage" }
    error_message = "not the five roles"
  }
  assert {
    condition = alltrue([for role in ["plan", "plan_storage"] : toset(flatten([for c in data.aws_iam_policy_document.trust[role].statement[0].condition : c.values if endswith(c.variable, ":sub")])) == toset([
      "repo:acme/infrastructure:pull_request", "repo:acme/infrastructure:ref:refs/heads/*",
    ])])
    error_message = "the planners trust other subjects than pull requests and branches"
  }
  assert {
    condition = alltrue([for role in ["apply", "apply_storage"] : { for c in data.aws_iam_policy_document.trust[role].statement[0].condition : trimprefix(c.variable, "token.actions.githubusercontent.com:") => one(c.values) } == {
      aud = "sts.amazonaws.com", sub = "repo:acme/infrastructure:environment:production", ref = "refs/heads/main"
    }])
    error_message = "the appliers trust something else than the environment production on the default branch"
  }
  assert {
    condition     = flatten([for c in data.aws_iam_policy_document.trust["drift_storage"].statement[0].condition : c.values if endswith(c.variable, ":sub")]) == ["repo:acme/infrastructure:ref:refs/heads/main"]
    error_message = "drift storage trusts another subject than the default branch"
  }
  assert {
    condition     = alltrue([for role, d in data.aws_iam_policy_document.trust : alltrue([for c in d.statement[0].condition : c.test == (startswith(role, "plan") && endswith(c.variable, ":sub") ? "StringLike" : "StringEquals") && startswith(c.variable, "token.actions.githubusercontent.com:")])])
    error_message = "a subject without wildcard is not compared exactly"
  }
  assert {
    condition     = alltrue([for d in data.aws_iam_policy_document.trust : join(" ", flatten([for c in d.statement[0].condition : c.values if endswith(c.variable, ":aud")])) == "sts.amazonaws.com"])
    error_message = "the audience is not demanded"
  }
  assert {
    condition     = alltrue([for d in data.aws_iam_policy_document.trust : d.statement[0].actions == toset(["sts:AssumeRoleWithWebIdentity"])])
    error_message = "a role can be assumed in another way than with a token"
  }
  assert {
    condition     = length(aws_iam_role_policy_attachment.plan) == 0 && length(aws_iam_role_policy_attachment.apply) == 0
    error_message = "Terraform's roles have policies that nobody gave"
  }
  assert {
    condition     = alltrue([for r in aws_iam_role.this : r.max_session_duration == 3600 && r.path == "/"])
    error_message = "not the documented defaults"
  }
}

run "the_immutable_subject" {
  variables {
    repositories = [{ name = "acme/infrastructure", owner_id = 123456, id = 456789 }]
  }
  assert {
    condition     = output.subjects.apply == tolist(["repo:acme@123456/infrastructure@456789:environment:production"])
    error_message = "not the subject with ids"
  }
}

run "both_forms_while_changing" {
  variables {
    repositories = [{ name = "acme/infrastructure", owner_id = 123456, id = 456789 }, { name = "acme/infrastructure" }]
  }
  assert {
    condition     = output.subjects.apply == tolist(["repo:acme@123456/infrastructure@456789:environment:production", "repo:acme/infrastructure:environment:production"])
    error_message = "not both subjects"
  }
  assert {
    condition     = length(local.keys) == 1
    error_message = "one repository has two keys in the plan store"
  }
}

run "subjects_of_choice" {
  variables {
    repositories = [{
      name           = "acme/infrastructure"
      default_branch = "trunk"
      plan           = ["pull_request", "ref:refs/heads/gh-readonly-queue/trunk/*", "ref:refs/tags/v1", "environment:plan"]
      apply          = ["environment:production", "ref:refs/heads/trunk"]
    }]
  }
  assert {
    condition     = output.subjects.apply == tolist(["repo:acme/infrastructure:environment:production", "repo:acme/infrastructure:ref:refs/heads/trunk"])
    error_message = "not the subjects that were chosen"
  }
  assert {
    condition     = [for c in data.aws_iam_policy_document.trust["plan"].statement[0].condition : c.test if endswith(c.variable, ":sub")] == ["StringLike"]
    error_message = "a wildcard is compared as a plain text"
  }
}

run "claims_tie_a_role_to_a_reusable_workflow" {
  variables {
    claims = {
      plan_storage = { job_workflow_ref = ["acme/workflows/.github/workflows/plan.yml@refs/heads/main"] }
      apply        = { job_workflow_ref = ["acme/workflows/.github/workflows/apply.yml@refs/tags/v1"] }
    }
  }
  assert {
    condition     = [for c in data.aws_iam_policy_document.trust["plan_storage"].statement[0].condition : [c.test, c.values[0]] if endswith(c.variable, ":job_workflow_ref")] == [["StringEquals", "acme/workflows/.github/workflows/plan.yml@refs/heads/main"]]
    error_message = "the plan storage role does not demand the workflow"
  }
  assert {
    condition     = { for c in data.aws_iam_policy_document.trust["apply"].statement[0].condition : trimprefix(c.variable, "token.actions.githubusercontent.com:") => "${c.test} ${one(c.values)}" if !endswith(c.variable, ":aud") } == { sub = "StringEquals repo:acme/infrastructure:environment:production", ref = "StringEquals refs/heads/main", job_workflow_ref = "StringEquals acme/workflows/.github/workflows/apply.yml@refs/tags/v1" }
    error_message = "the apply role does not demand the workflow, the environment and the default branch together"
  }
  assert {
    condition     = length(data.aws_iam_policy_document.trust["plan"].statement[0].condition) == 2
    error_message = "a claim of one role is demanded by another"
  }
}

run "keys_are_those_of_the_plan_store" {
  variables {
    repositories = [{ name = "Acme/.GitHub" }]
  }
  assert {
    condition     = local.keys == tolist(["acme/%2Egithub"])
    error_message = "not the key that shared/planstore writes"
  }
}

run "what_plan_storage_may_do" {
  assert {
    condition     = toset(flatten([for s in data.aws_iam_policy_document.storage["plan_storage"].statement : s.actions])) == toset(["dynamodb:PutItem", "dynamodb:BatchGetItem", "dynamodb:Query"])
    error_message = "plan storage may do something else"
  }
  assert {
    condition     = toset(flatten([for s in data.aws_iam_policy_document.add_planfiles[0].statement : s.actions])) == toset(["s3:PutObject", "kms:GenerateDataKey"])
    error_message = "who adds planfiles may do something else"
  }
  assert {
    condition     = alltrue([for s in data.aws_iam_policy_document.add_planfiles[0].statement : s.resources == toset(["arn:aws:s3:::acme-planfiles/planfiles/acme/infrastructure/*"]) && [for c in s.condition : c.variable] == ["s3:if-none-match"] if s.sid == "AddPlanfiles"])
    error_message = "planfiles can be put elsewhere, or over others"
  }
  assert {
    condition     = flatten([for s in data.aws_iam_policy_document.storage["plan_storage"].statement : [for c in s.condition : c.values if c.variable == "dynamodb:LeadingKeys" && c.test != "Null"] if contains(s.actions, "dynamodb:PutItem")]) == ["plan#acme/infrastructure#*", "lock#acme/infrastructure#*"]
    error_message = "records of another kind or repository can be put"
  }
  assert {
    condition     = flatten([for s in data.aws_iam_policy_document.storage["plan_storage"].statement : [for c in s.condition : c.values if c.variable == "dynamodb:LeadingKeys" && c.test != "Null"] if s.actions == toset(["dynamodb:BatchGetItem"])]) == ["lock#acme/infrastructure#*", "apply#acme/infrastructure#*"]
    error_message = "plan storage can read items of another kind or repository"
  }
}

run "what_apply_storage_may_do" {
  assert {
    condition = toset(flatten([for s in concat(data.aws_iam_policy_document.apply_objects[0].statement, data.aws_iam_policy_document.storage["apply_storage"].statement) : s.actions])) == toset([
      "s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "kms:Decrypt", "kms:GenerateDataKey",
      "dynamodb:Query", "dynamodb:BatchGetItem", "dynamodb:ConditionCheckItem", "dynamodb:PutItem", "dynamodb:UpdateItem",
    ])
    error_message = "apply storage may do something else"
  }
  assert {
    condition     = alltrue([for s in data.aws_iam_policy_document.apply_objects[0].statement : s.resources == toset(["arn:aws:s3:::acme-planfiles/errored-state/acme/infrastructure/*"]) if contains(s.actions, "s3:PutObject")])
    error_message = "apply storage can put planfiles"
  }
  assert {
    condition     = flatten([for s in data.aws_iam_policy_document.storage["apply_storage"].statement : [for c in s.condition : c.values if c.variable == "dynamodb:LeadingKeys" && c.test != "Null"] if contains(s.actions, "dynamodb:PutItem")]) == ["apply#acme/infrastructure#*", "issue#acme/infrastructure#*"]
    error_message = "apply storage can put plan records"
  }
  assert {
    condition     = flatten([for s in data.aws_iam_policy_document.storage["apply_storage"].statement : [for c in s.condition : c.values if c.variable == "dynamodb:LeadingKeys" && c.test != "Null"] if s.actions == toset(["dynamodb:BatchGetItem"])]) == ["apply#acme/infrastructure#*", "issue#acme/infrastructure#*", "lock#acme/infrastructure#*"]
    error_message = "apply storage can read items of another kind or repository"
  }
}

run "an_index_is_queried_by_repository" {
  assert {
    condition = { for role, d in { plan = data.aws_iam_policy_document.storage["plan_storage"], apply = data.aws_iam_policy_document.storage["apply_storage"], drift = data.aws_iam_policy_document.storage["drift_storage"] } :
      role => flatten([for s in d.statement : [for r in s.resources : [split("/", r)[3], [for c in s.condition : c.values if c.test != "Null"]] if strcontains(r, "/index/")]])
      } == {
      plan  = ["by-pull-request", "acme/infrastructure#*"]
      apply = ["by-pull-request", "acme/infrastructure#*"]
      drift = ["by-pull-request", "acme/infrastructure#*", "by-run", "acme/infrastructure#*"]
    }
    error_message = "another index, or another repository's part of one, can be queried"
  }
}

run "what_drift_storage_may_do" {
  assert {
    condition     = toset(flatten([for s in data.aws_iam_policy_document.storage["drift_storage"].statement : s.actions])) == toset(["dynamodb:Query", "dynamodb:BatchGetItem", "dynamodb:PutItem"])
    error_message = "drift storage may do something else"
  }
  assert {
    condition = { for s in data.aws_iam_policy_document.storage["drift_storage"].statement : s.sid => flatten([for c in s.condition : c.values if c.variable == "dynamodb:LeadingKeys" && c.test != "Null"]) } == {
      AddItems                = ["plan#acme/infrastructure#*", "drift#acme/infrastructure#*", "issue#acme/infrastructure#*"]
      FindRecords             = ["plan#acme/infrastructure#*"]
      FindByRunAndPullRequest = ["acme/infrastructure#*"]
      ReadClaims              = ["apply#acme/infrastructure#*", "issue#acme/infrastructure#*", "lock#acme/infrastructure#*"]
    }
    error_message = "drift storage can reach items of another kind or repository"
  }
}

run "leading_keys_are_demanded" {
  assert {
    condition = alltrue(flatten([for d in [data.aws_iam_policy_document.storage["plan_storage"], data.aws_iam_policy_document.storage["apply_storage"], data.aws_iam_policy_document.storage["drift_storage"]] :
      [for s in d.statement : toset([for c in s.condition : "${c.test} ${c.variable}"]) == toset(["ForAllValues:StringLike dynamodb:LeadingKeys", "Null dynamodb:LeadingKeys"]) if startswith(one(slice(sort(s.actions), 0, 1)), "dynamodb:")]
    ]))
    error_message = "a request without keys passes"
  }
}

run "keys_work_through_their_service_only" {
  variables {
    storage = {
      bucket_arn        = "arn:aws:s3:::acme-planfiles"
      kms_key_arn       = "arn:aws:kms:us-east-2:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab"
      table_arn         = "arn:aws:dynamodb:us-east-2:111111111111:table/acme-plans"
      table_kms_key_arn = "arn:aws:kms:us-east-2:111111111111:key/0234abcd-12ab-34cd-56ef-1234567890ab"
    }
  }
  assert {
    condition = alltrue(flatten([for d in [data.aws_iam_policy_document.add_planfiles[0], data.aws_iam_policy_document.apply_objects[0]] :
      [for s in d.statement : { for c in s.condition : c.variable => c.values[0] } == {
        "kms:ViaService" = "s3.us-east-2.amazonaws.com", "kms:EncryptionContext:aws:s3:arn" = "arn:aws:s3:::acme-planfiles"
      } if startswith(one(slice(sort(s.actions), 0, 1)), "kms:")]
    ]))
    error_message = "the bucket's key can be used elsewhere"
  }
  assert {
    condition = data.aws_iam_policy_document.table_key[0].statement[0].actions == toset(["kms:Decrypt"]) && { for c in data.aws_iam_policy_document.table_key[0].statement[0].condition : c.variable => c.values[0] } == {
      "kms:ViaService" = "dynamodb.us-east-2.amazonaws.com", "kms:EncryptionContext:aws:dynamodb:tableName" = "acme-plans"
    }
    error_message = "the table's key can be used elsewhere"
  }
  assert {
    condition     = length(data.aws_iam_policy_document.storage["plan_storage"].source_policy_documents) == 2 && length(data.aws_iam_policy_document.storage["drift_storage"].source_policy_documents) == 2 && length(data.aws_iam_policy_document.storage["apply_storage"].source_policy_documents) == 2
    error_message = "a storage role can't use the table's key"
  }
}

run "arns_that_are_known_only_after_apply" {
  command = plan
  module {
    source = "./tests/fixtures/unknown_arns"
  }
}

run "policies_that_the_user_gives" {
  variables {
    plan_policy_arns  = { read = "arn:aws:iam::aws:policy/ReadOnlyAccess" }
    apply_policy_arns = { network = "arn:aws:iam::111111111111:policy/network" }
  }
  assert {
    condition     = aws_iam_role_policy_attachment.plan["read"].role == "gitops-plan" && aws_iam_role_policy_attachment.apply["network"].role == "gitops-apply"
    error_message = "not attached to the right role"
  }
}

run "terraform_is_kept_from_the_plan_store" {
  assert {
    condition     = { for k, p in aws_iam_role_policy.terraform : k => p.role } == { plan = "gitops-plan", apply = "gitops-apply" }
    error_message = "not denied to both of Terraform's roles"
  }
  assert {
    condition = [for s in data.aws_iam_policy_document.no_plan_store[0].statement : [s.effect, s.actions, s.resources] if s.sid != "NoDecryption"] == [
      ["Deny", toset(["s3:*"]), toset(["arn:aws:s3:::acme-planfiles", "arn:aws:s3:::acme-planfiles/*"])],
      ["Deny", toset(["dynamodb:*"]), toset(["arn:aws:dynamodb:us-east-2:111111111111:table/acme-plans", "arn:aws:dynamodb:us-east-2:111111111111:table/acme-plans/*"])],
    ]
    error_message = "something of the plan store is left to Terraform"
  }
}

run "settings_of_every_role" {
  variables {
    path                     = "/gitops/"
    permissions_boundary_arn = "arn:aws:iam::111111111111:policy/boundary"
    max_session_duration     = 14400
    tags                     = { team = "platform" }
  }
  assert {
    condition     = alltrue([for r in aws_iam_role.this : r.path == "/gitops/" && r.permissions_boundary == "arn:aws:iam::111111111111:policy/boundary" && r.max_session_duration == 14400 && r.tags == tomap({ team = "platform" })])
    error_message = "a role is without one of them"
  }
}

run "an_account_without_plan_store" {
  variables {
    storage = null
  }
  assert {
    condition     = keys(aws_iam_role.this) == ["apply", "plan"] && output.plan_storage_role_arn == null && length(aws_iam_role_policy.storage) + length(aws_iam_role_policy.terraform) == 0
    error_message = "not Terraform's roles alone"
  }
}

run "an_account_without_infrastructure" {
  variables {
    create_terraform_roles = false
    plan_policy_arns       = { read = "arn:aws:iam::aws:policy/ReadOnlyAccess" }
  }
  assert {
    condition     = keys(aws_iam_role.this) == ["apply_storage", "drift_storage", "plan_storage"] && output.plan_role_arn == null
    error_message = "not the storage roles alone"
  }
}

run "nothing_at_all" {
  variables {
    create = false
  }
  assert {
    condition     = length(aws_iam_role.this) + length(aws_iam_role_policy.storage) + length(aws_iam_role_policy.terraform) + length(aws_iam_openid_connect_provider.this) == 0 && output.subjects == null && output.oidc_provider_arn == null
    error_message = "something is made"
  }
}

run "the_provider_that_is_there" {
  variables {
    create_oidc_provider = false
    oidc_provider_arn    = "arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com"
  }
  assert {
    condition     = length(aws_iam_openid_connect_provider.this) == 0 && one(data.aws_iam_policy_document.trust["plan"].statement[0].principals).identifiers == toset(["arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com"])
    error_message = "the given provider is not the one that is trusted"
  }
}

run "another_issuer_and_audience" {
  variables {
    issuer_url   = "https://github.example.com/_services/token"
    audience     = "acme"
    repositories = [{ name = "acme/infrastructure", apply = ["environment:production"] }]
  }
  assert {
    condition     = aws_iam_openid_connect_provider.this[0].url == "https://github.example.com/_services/token" && aws_iam_openid_connect_provider.this[0].client_id_list == toset(["acme"])
    error_message = "not the issuer's provider"
  }
  assert {
    condition     = alltrue([for c in flatten([for d in data.aws_iam_policy_document.trust : d.statement[0].condition]) : contains(["github.example.com/_services/token:aud", "github.example.com/_services/token:sub"], c.variable)])
    error_message = "a condition is on another issuer's claims"
  }
}

# The tokens here are of a repository's own environment, on what is the default branch of
# another one, and the other way round.
run "a_branch_that_is_the_default_of_another_repository" {
  variables {
    repositories = [
      { name = "acme/infrastructure" },
      { name = "acme/legacy", default_branch = "master" },
      { name = "acme/platform", default_branch = "trunk", apply = ["environment:production", "ref:refs/heads/trunk"] },
      { name = "acme/infrastructure", owner_id = 123456, id = 456789 },
    ]
  }
  assert {
    condition     = alltrue([for d in data.aws_iam_policy_document.trust : length(d.statement) == 4])
    error_message = "not a statement for each repository"
  }
  assert {
    condition = alltrue(flatten([for role in ["apply", "apply_storage"] : [for token in [
      { repository = "acme/infrastructure", ref = "refs/heads/main", good = true },
      { repository = "acme/infrastructure", ref = "refs/heads/master", good = false },
      { repository = "acme/infrastructure", ref = "refs/heads/trunk", good = false },
      { repository = "acme/legacy", ref = "refs/heads/master", good = true },
      { repository = "acme/legacy", ref = "refs/heads/main", good = false },
      { repository = "acme/platform", ref = "refs/heads/trunk", good = true },
      { repository = "acme/platform", ref = "refs/heads/main", good = false },
      { repository = "acme@123456/infrastructure@456789", ref = "refs/heads/main", good = true },
      { repository = "acme@123456/infrastructure@456789", ref = "refs/heads/master", good = false },
      ] : token.good == anytrue([for s in data.aws_iam_policy_document.trust[role].statement : alltrue([for c in s.condition : contains(c.values, {
        "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
        "token.actions.githubusercontent.com:sub" = "repo:${token.repository}:environment:production"
        "token.actions.githubusercontent.com:ref" = token.ref
      }[c.variable])])])
    ]]))
    error_message = "an applier trusts a repository's environment on a branch that is the default of another repository, or does not trust it on its own"
  }
}
