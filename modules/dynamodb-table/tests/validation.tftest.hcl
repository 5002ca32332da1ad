# Input that is refused, and input on the very edge that is not. Needs Terraform 1.7
# (OpenTofu 1.8) for mock_provider; nothing is created.

mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
}

variables {
  name = "acme-terraform-plans"
}

run "refuses_a_name_that_is_too_short" {
  command = plan
  variables { name = "ab" }
  expect_failures = [var.name]
}

run "refuses_a_name_that_is_too_long" {
  command = plan
  variables { name = format("%0256d", 0) }
  expect_failures = [var.name]
}

run "refuses_an_arn_as_name" {
  command = plan
  variables { name = "arn:aws:dynamodb:us-east-2:111122223333:table/plans" }
  expect_failures = [var.name]
}

run "takes_the_shortest_name" {
  command = plan
  variables { name = "a_1" }
}

run "takes_the_longest_name" {
  command = plan
  variables { name = format("%0255d", 0) }
}

run "takes_a_multi_region_key_of_another_partition" {
  command = plan
  variables { kms_key_arn = "arn:aws-cn:kms:cn-north-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab" }
}

run "refuses_the_alias_of_a_key" {
  command = plan
  variables { kms_key_arn = "arn:aws:kms:us-east-2:111122223333:alias/plans" }
  expect_failures = [var.kms_key_arn]
}

run "refuses_the_id_of_a_key" {
  command = plan
  variables { kms_key_arn = "1234abcd-12ab-34cd-56ef-1234567890ab" }
  expect_failures = [var.kms_key_arn]
}

run "refuses_a_policy_that_is_not_json" {
  command = plan
  variables { resource_policy_documents = ["Allow everything"] }
  expect_failures = [var.resource_policy_documents]
}

run "refuses_json_that_is_not_a_policy" {
  command = plan
  variables { resource_policy_documents = ["{\"Version\":\"2012-10-17\"}"] }
  expect_failures = [var.resource_policy_documents]
}
