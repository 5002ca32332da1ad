# Who may do what in two accounts. Needs Terraform 1.7 or newer (mock_provider), and no account.

mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { id = "us-east-2" }
  }
  mock_data "aws_partition" {
    defaults = { dns_suffix = "amazonaws.com", partition = "aws" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "222222222222" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

mock_provider "aws" {
  alias = "development"
  mock_data "aws_region" {
    defaults = { id = "us-east-2" }
  }
  mock_data "aws_partition" {
    defaults = { dns_suffix = "amazonaws.com", partition = "aws" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111111111111" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  region     = "us-east-2"
  name       = "acme-gitops"
  repository = { name = "acme/infrastructure" }
  accounts = {
    development = {
      admin_role_arn = "arn:aws:iam::111111111111:role/admin"
      environment    = "development"
      stacks         = ["dev"]
    }
    production = {
      admin_role_arn  = "arn:aws:iam::222222222222:role/admin"
      environment     = "production"
      stacks          = ["prod", "shared"]
      readable_stacks = ["shared"]
    }
  }
}

run "each_account_trusts_its_own_environment" {
  command = plan
  assert {
    condition     = output.subjects.development == tolist(["repo:acme/infrastructure:environment:development"])
    error_message = "development is applied by: ${jsonencode(output.subjects.development)}"
  }
  assert {
    condition     = output.subjects.production == tolist(["repo:acme/infrastructure:environment:production"])
    error_message = "production is applied by: ${jsonencode(output.subjects.production)}"
  }
  assert {
    condition     = toset(output.subjects.plan_store) == toset(["repo:acme/infrastructure:environment:development", "repo:acme/infrastructure:environment:production"])
    error_message = "the plan store is used by: ${jsonencode(output.subjects.plan_store)}"
  }
  assert {
    condition     = { for name, stack in local.stacks : name => stack.environment } == { dev = "development", prod = "production", shared = "production" }
    error_message = "a stack has the environment of another account"
  }
}

run "one_environment_for_both" {
  command = plan
  variables {
    accounts = {
      development = { admin_role_arn = "arn:aws:iam::111111111111:role/admin", environment = "production", stacks = ["dev"] }
      production  = { admin_role_arn = "arn:aws:iam::222222222222:role/admin", environment = "production", stacks = ["prod"] }
    }
  }
  expect_failures = [var.accounts]
}

run "a_stack_with_a_wildcard" {
  command = plan
  variables {
    accounts = {
      development = { admin_role_arn = "arn:aws:iam::111111111111:role/admin", environment = "development", stacks = ["*"] }
      production  = { admin_role_arn = "arn:aws:iam::222222222222:role/admin", environment = "production", stacks = ["prod"] }
    }
  }
  expect_failures = [var.accounts]
}

run "another_accounts_stack_is_readable" {
  command = plan
  variables {
    accounts = {
      development = { admin_role_arn = "arn:aws:iam::111111111111:role/admin", environment = "development", stacks = ["dev"], readable_stacks = ["prod"] }
      production  = { admin_role_arn = "arn:aws:iam::222222222222:role/admin", environment = "production", stacks = ["prod"] }
    }
  }
  expect_failures = [var.accounts]
}
