# Input that is refused, and input on the very edge that is not. Needs Terraform 1.7
# (OpenTofu 1.8) for mock_provider; nothing is created.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }

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
  variables { name = "a123456789b123456789c123456789d123456789e123456789f123456789abcd" }
  expect_failures = [var.name]
}

run "refuses_a_name_with_upper_case" {
  command = plan
  variables { name = "acme-Terraform-plans" }
  expect_failures = [var.name]
}

run "refuses_a_name_with_dots" {
  command = plan
  variables { name = "plans.acme.example" }
  expect_failures = [var.name]
}

run "refuses_a_name_that_ends_in_a_hyphen" {
  command = plan
  variables { name = "acme-" }
  expect_failures = [var.name]
}

run "refuses_a_name_that_begins_as_s3_reserves" {
  command = plan
  variables { name = "xn--acme" }
  expect_failures = [var.name]
}

run "refuses_a_name_that_ends_as_s3_reserves" {
  command = plan
  variables { name = "acme-s3alias" }
  expect_failures = [var.name]
}

run "takes_the_longest_name" {
  command = plan
  variables { name = "a123456789b123456789c123456789d123456789e123456789f123456789abc" }
}

run "refuses_the_alias_of_a_key" {
  command = plan
  variables {
    create_kms_key = false
    kms_key_arn    = "arn:aws:kms:us-east-2:111122223333:alias/plans"
  }
  expect_failures = [var.kms_key_arn]
}

run "refuses_the_id_of_a_key" {
  command = plan
  variables {
    create_kms_key = false
    kms_key_arn    = "1234abcd-12ab-34cd-56ef-1234567890ab"
  }
  expect_failures = [var.kms_key_arn]
}

run "takes_a_multi_region_key_of_another_partition" {
  command = plan
  variables {
    create_kms_key = false
    kms_key_arn    = "arn:aws-cn:kms:cn-north-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab"
  }
}

run "refuses_a_key_beside_its_own" {
  command = plan
  variables {
    kms_key_arn = "arn:aws:kms:us-east-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  }
  expect_failures = [data.aws_iam_policy_document.bucket]
}

run "refuses_no_key_at_all" {
  command = plan
  variables { create_kms_key = false }
  expect_failures = [data.aws_iam_policy_document.bucket]
}

run "refuses_a_deletion_window_below_7_days" {
  command = plan
  variables { kms_key_deletion_window_in_days = 6 }
  expect_failures = [var.kms_key_deletion_window_in_days]
}

run "refuses_a_deletion_window_above_30_days" {
  command = plan
  variables { kms_key_deletion_window_in_days = 31 }
  expect_failures = [var.kms_key_deletion_window_in_days]
}

run "refuses_a_deletion_window_of_part_days" {
  command = plan
  variables { kms_key_deletion_window_in_days = 7.5 }
  expect_failures = [var.kms_key_deletion_window_in_days]
}

run "takes_the_shortest_deletion_window" {
  command = plan
  variables { kms_key_deletion_window_in_days = 7 }
}

run "refuses_planfiles_that_expire_at_once" {
  command = plan
  variables { planfile_expiration_days = 0 }
  expect_failures = [var.planfile_expiration_days]
}

run "refuses_planfiles_that_expire_after_part_days" {
  command = plan
  variables { planfile_expiration_days = 1.5 }
  expect_failures = [var.planfile_expiration_days]
}

run "takes_planfiles_that_expire_after_a_day" {
  command = plan
  variables { planfile_expiration_days = 1 }
}

run "refuses_logs_to_no_bucket" {
  command = plan
  variables { logging = { target_bucket = "" } }
  expect_failures = [var.logging]
}

run "refuses_logs_to_itself" {
  command = plan
  variables { logging = { target_bucket = "acme-terraform-plans" } }
  expect_failures = [aws_s3_bucket_logging.this]
}

run "refuses_an_unknown_mode_of_object_lock" {
  command = plan
  variables { object_lock = { days = 14, mode = "governance" } }
  expect_failures = [var.object_lock]
}

run "refuses_object_lock_of_no_days" {
  command = plan
  variables { object_lock = { days = 0 } }
  expect_failures = [var.object_lock]
}

run "refuses_object_lock_of_part_days" {
  command = plan
  variables { object_lock = { days = 1.5 } }
  expect_failures = [var.object_lock]
}

run "refuses_object_lock_that_outlasts_planfiles" {
  command = plan
  variables { object_lock = { days = 31 } }
  expect_failures = [aws_s3_bucket_object_lock_configuration.this]
}

run "takes_object_lock_as_long_as_planfiles" {
  command = plan
  variables { object_lock = { days = 30 } }
}

run "refuses_a_policy_that_is_not_json" {
  command = plan
  variables { source_policy_documents = ["Allow everything"] }
  expect_failures = [var.source_policy_documents]
}

run "refuses_json_that_is_not_a_policy" {
  command = plan
  variables { source_policy_documents = ["{\"Version\":\"2012-10-17\"}"] }
  expect_failures = [var.source_policy_documents]
}
