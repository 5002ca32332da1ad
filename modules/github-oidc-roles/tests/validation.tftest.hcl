# What is refused, when planning, and the variable or resource that says why.
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
}

variables {
  name         = "gitops"
  repositories = [{ name = "acme/infrastructure" }]
}

run "a_name_that_iam_does_not_take" {
  command = plan
  variables {
    name = "git ops"
  }
  expect_failures = [var.name]
}

run "a_name_that_is_too_long" {
  command = plan
  variables {
    name = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
  }
  expect_failures = [var.name]
}

run "no_repository" {
  command = plan
  variables {
    repositories = []
  }
  expect_failures = [var.repositories]
}

run "any_repository_of_an_owner" {
  command = plan
  variables {
    repositories = [{ name = "acme/*" }]
  }
  expect_failures = [var.repositories]
}

run "any_owner" {
  command = plan
  variables {
    repositories = [{ name = "*/infrastructure" }]
  }
  expect_failures = [var.repositories]
}

run "anything" {
  command = plan
  variables {
    repositories = [{ name = "*" }]
  }
  expect_failures = [var.repositories]
}

run "a_repository_without_owner" {
  command = plan
  variables {
    repositories = [{ name = "infrastructure" }]
  }
  expect_failures = [var.repositories]
}

run "a_name_that_others_extend" {
  command = plan
  variables {
    repositories = [{ name = "acme/infra*" }]
  }
  expect_failures = [var.repositories]
}

run "one_character_of_any_kind" {
  command = plan
  variables {
    repositories = [{ name = "acme/infra?tructure" }]
  }
  expect_failures = [var.repositories]
}

run "a_whole_subject_for_a_name" {
  command = plan
  variables {
    repositories = [{ name = "repo:acme/infrastructure:ref" }]
  }
  expect_failures = [var.repositories]
}

run "an_owner_id_alone" {
  command = plan
  variables {
    repositories = [{ name = "acme/infrastructure", owner_id = 1 }]
  }
  expect_failures = [var.repositories]
}

run "a_repository_id_alone" {
  command = plan
  variables {
    repositories = [{ name = "acme/infrastructure", id = 1 }]
  }
  expect_failures = [var.repositories]
}

run "an_id_that_is_none" {
  command = plan
  variables {
    repositories = [{ name = "acme/infrastructure", owner_id = 0, id = 1.5 }]
  }
  expect_failures = [var.repositories]
}

run "a_default_branch_with_wildcard" {
  command = plan
  variables {
    repositories = [{ name = "acme/infrastructure", default_branch = "*" }]
  }
  expect_failures = [var.repositories]
}

run "no_default_branch" {
  command = plan
  variables {
    repositories = [{ name = "acme/infrastructure", default_branch = "" }]
  }
  expect_failures = [var.repositories]
}

run "plan_of_anything" {
  command = plan
  variables {
    repositories = [{ name = "acme/infrastructure", plan = ["*"] }]
  }
  expect_failures = [var.repositories]
}

run "plan_of_any_ref" {
  command = plan
  variables {
    repositories = [{ name = "acme/infrastructure", plan = ["ref:*"] }]
  }
  expect_failures = [var.repositories]
}

run "plan_of_any_tag" {
  command = plan
  variables {
    repositories = [{ name = "acme/infrastructure", plan = ["ref:refs/tags/*"] }]
  }
  expect_failures = [var.repositories]
}

run "plan_of_a_wildcard_inside" {
  command = plan
  variables {
    repositories = [{ name = "acme/infrastructure", plan = ["ref:refs/heads/*/x"] }]
  }
  expect_failures = [var.repositories]
}

run "plan_of_a_name_that_others_extend" {
  command = plan
  variables {
    repositories = [{ name = "acme/infrastructure", plan = ["ref:refs/heads/release*"] }]
  }
  expect_failures = [var.repositories]
}

run "plan_of_any_environment" {
  command = plan
  variables {
    repositories = [{ name = "acme/infrastructure", plan = ["environment:*"] }]
  }
  expect_failures = [var.repositories]
}

run "plan_of_a_whole_subject" {
  command = plan
  variables {
    repositories = [{ name = "acme/infrastructure", plan = ["repo:acme/infrastructure:pull_request"] }]
  }
  expect_failures = [var.repositories]
}

run "plan_of_nothing" {
  command = plan
  variables {
    repositories = [{ name = "acme/infrastructure", plan = [] }]
  }
  expect_failures = [var.repositories]
}

run "apply_of_pull_requests" {
  command = plan
  variables {
    repositories = [{ name = "acme/infrastructure", apply = ["pull_request"] }]
  }
  expect_failures = [var.repositories]
}

run "apply_of_another_branch" {
  command = plan
  variables {
    repositories = [{ name = "acme/infrastructure", apply = ["ref:refs/heads/develop"] }]
  }
  expect_failures = [var.repositories]
}

run "apply_of_release_branches" {
  command = plan
  variables {
    repositories = [{ name = "acme/infrastructure", apply = ["ref:refs/heads/release/*"] }]
  }
  expect_failures = [var.repositories]
}

run "apply_of_a_tag" {
  command = plan
  variables {
    repositories = [{ name = "acme/infrastructure", apply = ["ref:refs/tags/v1"] }]
  }
  expect_failures = [var.repositories]
}

run "apply_of_any_environment" {
  command = plan
  variables {
    repositories = [{ name = "acme/infrastructure", apply = ["environment:*"] }]
  }
  expect_failures = [var.repositories]
}

run "apply_of_anything" {
  command = plan
  variables {
    repositories = [{ name = "acme/infrastructure", apply = ["*"] }]
  }
  expect_failures = [var.repositories]
}

run "apply_of_nothing" {
  command = plan
  variables {
    repositories = [{ name = "acme/infrastructure", apply = [] }]
  }
  expect_failures = [var.repositories]
}

run "drift_of_pull_requests" {
  command = plan
  variables {
    repositories = [{ name = "acme/infrastructure", drift = ["pull_request"] }]
  }
  expect_failures = [var.repositories]
}

run "drift_of_another_branch" {
  command = plan
  variables {
    repositories = [{ name = "acme/infrastructure", drift = ["ref:refs/heads/develop"] }]
  }
  expect_failures = [var.repositories]
}

run "drift_of_nothing" {
  command = plan
  variables {
    repositories = [{ name = "acme/infrastructure", drift = [] }]
  }
  expect_failures = [var.repositories]
}

run "a_claim_that_aws_does_not_read" {
  command = plan
  variables {
    claims = { plan = { run_id = ["1"] } }
  }
  expect_failures = [var.claims]
}

run "a_claim_of_nothing" {
  command = plan
  variables {
    claims = { plan = { actor = [] } }
  }
  expect_failures = [var.claims]
}

run "a_claim_of_anything" {
  command = plan
  variables {
    claims = { plan = { job_workflow_ref = ["*"] } }
  }
  expect_failures = [var.claims]
}

run "any_workflow_of_an_owner" {
  command = plan
  variables {
    claims = { plan = { job_workflow_ref = ["acme/*@refs/heads/main"] } }
  }
  expect_failures = [var.claims]
}

run "a_workflow_on_any_ref" {
  command = plan
  variables {
    claims = { plan_storage = { job_workflow_ref = ["acme/workflows/.github/workflows/plan.yml@refs/heads/main", "acme/workflows/.github/workflows/plan.yml@*"] } }
  }
  expect_failures = [var.claims]
}

run "a_workflow_on_any_branch" {
  command = plan
  variables {
    claims = { plan_storage = { job_workflow_ref = ["acme/workflows/.github/workflows/plan.yml@refs/heads/main", "acme/workflows/.github/workflows/plan.yml@refs/heads/*"] } }
  }
  expect_failures = [var.claims]
}

run "a_workflow_on_any_ref_of_git" {
  command = plan
  variables {
    claims = { drift_storage = { job_workflow_ref = ["acme/workflows/.github/workflows/plan.yml@refs/heads/main", "acme/workflows/.github/workflows/plan.yml@refs/*"] } }
  }
  expect_failures = [var.claims]
}

run "a_workflow_on_some_tags" {
  command = plan
  variables {
    claims = { apply = { job_workflow_ref = ["acme/workflows/.github/workflows/plan.yml@refs/heads/main", "acme/workflows/.github/workflows/plan.yml@refs/tags/v*"] } }
  }
  expect_failures = [var.claims]
}

run "a_workflow_on_a_branch_with_one_unknown_letter" {
  command = plan
  variables {
    claims = { plan_storage = { job_workflow_ref = ["acme/workflows/.github/workflows/plan.yml@refs/heads/main", "acme/workflows/.github/workflows/plan.yml@refs/heads/mai?"] } }
  }
  expect_failures = [var.claims]
}

run "a_workflow_on_a_pattern_in_the_middle" {
  command = plan
  variables {
    claims = { plan_storage = { job_workflow_ref = ["acme/workflows/.github/workflows/plan.yml@refs/heads/main", "acme/workflows/.github/workflows/plan.yml@refs/heads/*/main"] } }
  }
  expect_failures = [var.claims]
}

run "a_workflow_of_a_pull_request" {
  command = plan
  variables {
    claims = { plan_storage = { job_workflow_ref = ["acme/workflows/.github/workflows/plan.yml@refs/heads/main", "acme/workflows/.github/workflows/plan.yml@refs/pull/41/merge"] } }
  }
  expect_failures = [var.claims]
}

run "a_workflow_on_a_branch_without_its_kind" {
  command = plan
  variables {
    claims = { plan_storage = { job_workflow_ref = ["acme/workflows/.github/workflows/plan.yml@refs/heads/main", "acme/workflows/.github/workflows/plan.yml@main"] } }
  }
  expect_failures = [var.claims]
}

run "a_workflow_on_no_ref" {
  command = plan
  variables {
    claims = { plan_storage = { job_workflow_ref = ["acme/workflows/.github/workflows/plan.yml@refs/heads/main", "acme/workflows/.github/workflows/plan.yml"] } }
  }
  expect_failures = [var.claims]
}

run "another_claim_with_a_wildcard" {
  command = plan
  variables {
    claims = { plan = { workflow = ["plan@*"] } }
  }
  expect_failures = [var.claims]
}

run "appliers_of_another_branch" {
  command = plan
  variables {
    claims = { apply = { ref = ["refs/heads/feature"] } }
  }
  expect_failures = [var.claims]
}

run "apply_storage_of_another_branch" {
  command = plan
  variables {
    claims = { apply_storage = { ref = ["refs/heads/main", "refs/heads/feature"] } }
  }
  expect_failures = [var.claims]
}

run "a_bucket_that_is_none" {
  command = plan
  variables {
    storage = { bucket_arn = "acme-planfiles", kms_key_arn = "arn:aws:kms:us-east-2:111111111111:key/1234", table_arn = "arn:aws:dynamodb:us-east-2:111111111111:table/acme-plans" }
  }
  expect_failures = [var.storage]
}

run "a_table_that_is_none" {
  command = plan
  variables {
    storage = { bucket_arn = "arn:aws:s3:::acme-planfiles", kms_key_arn = "arn:aws:kms:us-east-2:111111111111:key/1234", table_arn = "acme-plans" }
  }
  expect_failures = [var.storage]
}

run "any_table" {
  command = plan
  variables {
    storage = { bucket_arn = "arn:aws:s3:::acme-planfiles", kms_key_arn = "arn:aws:kms:us-east-2:111111111111:key/1234", table_arn = "arn:aws:dynamodb:us-east-2:111111111111:table/*" }
  }
  expect_failures = [var.storage]
}

run "a_key_s_alias" {
  command = plan
  variables {
    storage = { bucket_arn = "arn:aws:s3:::acme-planfiles", kms_key_arn = "arn:aws:kms:us-east-2:111111111111:alias/planfiles", table_arn = "arn:aws:dynamodb:us-east-2:111111111111:table/acme-plans" }
  }
  expect_failures = [var.storage]
}

run "a_table_key_s_alias" {
  command = plan
  variables {
    storage = { bucket_arn = "arn:aws:s3:::acme-planfiles", kms_key_arn = "arn:aws:kms:us-east-2:111111111111:key/1234", table_arn = "arn:aws:dynamodb:us-east-2:111111111111:table/acme-plans", table_kms_key_arn = "alias/plans" }
  }
  expect_failures = [var.storage]
}

run "a_plan_policy_s_name" {
  command = plan
  variables {
    plan_policy_arns = { read = "ReadOnlyAccess" }
  }
  expect_failures = [var.plan_policy_arns]
}

run "a_planner_that_may_do_anything" {
  command = plan
  variables {
    plan_policy_arns = { all = "arn:aws:iam::aws:policy/AdministratorAccess" }
  }
  expect_failures = [var.plan_policy_arns]
}

run "an_apply_policy_s_name" {
  command = plan
  variables {
    apply_policy_arns = { network = "network" }
  }
  expect_failures = [var.apply_policy_arns]
}

run "no_provider_of_the_two" {
  command = plan
  variables {
    create_oidc_provider = false
  }
  expect_failures = [data.aws_iam_policy_document.trust]
}

run "an_issuer_whose_branches_aws_does_not_read" {
  command = plan
  variables {
    issuer_url = "https://github.example.com/_services/token"
  }
  expect_failures = [data.aws_iam_policy_document.trust]
}

run "a_provider_too_many" {
  command = plan
  variables {
    oidc_provider_arn = "arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com"
  }
  expect_failures = [data.aws_iam_policy_document.trust]
}

run "a_provider_that_is_none" {
  command = plan
  variables {
    create_oidc_provider = false
    oidc_provider_arn    = "token.actions.githubusercontent.com"
  }
  expect_failures = [var.oidc_provider_arn]
}

run "an_issuer_without_https" {
  command = plan
  variables {
    issuer_url = "http://token.actions.githubusercontent.com"
  }
  expect_failures = [var.issuer_url]
}

run "an_issuer_with_a_slash_at_its_end" {
  command = plan
  variables {
    issuer_url = "https://token.actions.githubusercontent.com/"
  }
  expect_failures = [var.issuer_url]
}

run "any_audience" {
  command = plan
  variables {
    audience = "*"
  }
  expect_failures = [var.audience]
}

run "a_session_of_a_day" {
  command = plan
  variables {
    max_session_duration = 86400
  }
  expect_failures = [var.max_session_duration]
}

run "a_session_of_a_minute" {
  command = plan
  variables {
    max_session_duration = 60
  }
  expect_failures = [var.max_session_duration]
}

run "a_boundary_s_name" {
  command = plan
  variables {
    permissions_boundary_arn = "boundary"
  }
  expect_failures = [var.permissions_boundary_arn]
}

run "a_path_without_slash" {
  command = plan
  variables {
    path = "gitops"
  }
  expect_failures = [var.path]
}

# The mocked policy document is as long as that of many repositories.
run "a_policy_that_iam_does_not_take" {
  command = plan
  variables {
    create_oidc_provider = false
    oidc_provider_arn    = "arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com"
  }
  override_data {
    target = data.aws_iam_policy_document.trust
    values = { json = "{\"Sid\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}" }
  }
  expect_failures = [aws_iam_role.this]
}

run "a_storage_policy_that_iam_does_not_take" {
  command = plan
  variables {
    storage = {
      bucket_arn  = "arn:aws:s3:::acme-planfiles"
      kms_key_arn = "arn:aws:kms:us-east-2:111111111111:key/1234"
      table_arn   = "arn:aws:dynamodb:us-east-2:111111111111:table/acme-plans"
    }
  }
  override_data {
    target = data.aws_iam_policy_document.storage
    values = { json = "{\"Sid\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}" }
  }
  expect_failures = [aws_iam_role_policy.storage]
}
