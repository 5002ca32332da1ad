# What is refused of the stacks whose states the roles may use: a name is a prefix of states.
# Needs Terraform 1.7 or newer (mock_provider), and no account.

mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_data "aws_region" {
    defaults = { id = "us-east-2" }
  }
  mock_data "aws_partition" {
    defaults = { dns_suffix = "amazonaws.com", partition = "aws" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
}

variables {
  region       = "us-east-2"
  name         = "acme-gitops"
  repositories = [{ name = "acme/infrastructure" }]
}

run "no_stack" {
  command = plan
  variables {
    stacks = []
  }
  expect_failures = [var.stacks]
}

run "a_stack_with_a_wildcard" {
  command = plan
  variables {
    stacks = ["acme-ue2-dev", "*"]
  }
  expect_failures = [var.stacks]
}

run "a_stack_with_a_slash" {
  command = plan
  variables {
    stacks = ["acme/dev"]
  }
  expect_failures = [var.stacks]
}
