# What is deleted when, and what never, on mocked resources: nothing is created.
# Needs Terraform 1.7 (OpenTofu 1.8).

mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
}

variables {
  name = "acme-terraform-plans"
}

run "by_default" {
  assert {
    condition = alltrue([for r in aws_s3_bucket_lifecycle_configuration.this[0].rule :
      one(r.filter[*].prefix) == "planfiles/" || length(r.expiration) + length(r.noncurrent_version_expiration) == 0
    ])
    error_message = "Something else than planfiles expires: errored states must not."
  }

  assert {
    condition     = alltrue([for r in aws_s3_bucket_lifecycle_configuration.this[0].rule : r.status == "Enabled"])
    error_message = "A rule is not in force."
  }

  assert {
    condition     = [for r in aws_s3_bucket_lifecycle_configuration.this[0].rule : one(r.expiration[*].days) if r.id == "expire-planfiles"] == [30]
    error_message = "Planfiles do not expire after 30 days."
  }

  assert {
    condition     = [for r in aws_s3_bucket_lifecycle_configuration.this[0].rule : one(r.noncurrent_version_expiration[*].noncurrent_days) if r.id == "expire-planfiles"] == [1]
    error_message = "Expired planfiles stay as old versions."
  }

  assert {
    condition     = [for r in aws_s3_bucket_lifecycle_configuration.this[0].rule : one(r.expiration[*].expired_object_delete_marker) if r.id == "remove-delete-markers"] == [true]
    error_message = "Delete markers of planfiles stay."
  }

  assert {
    condition = anytrue([for r in aws_s3_bucket_lifecycle_configuration.this[0].rule :
      one(r.abort_incomplete_multipart_upload[*].days_after_initiation) == 1 && one(r.filter[*].prefix) != "planfiles/"
    ])
    error_message = "Incomplete uploads stay, or some of them."
  }
}

run "planfiles_expire_when_asked_to" {
  command = plan

  variables {
    planfile_expiration_days = 90
  }

  assert {
    condition     = [for r in aws_s3_bucket_lifecycle_configuration.this[0].rule : one(r.expiration[*].days) if r.id == "expire-planfiles"] == [90]
    error_message = "Planfiles expire on another day than asked for."
  }
}

run "objects_are_locked" {
  command = plan

  variables {
    object_lock = { days = 14 }
  }

  assert {
    condition = (
      aws_s3_bucket_object_lock_configuration.this[0].rule[0].default_retention[0].mode == "GOVERNANCE" &&
      aws_s3_bucket_object_lock_configuration.this[0].rule[0].default_retention[0].days == 14
    )
    error_message = "Objects are not locked for 14 days."
  }

  assert {
    condition     = aws_s3_bucket_versioning.this[0].versioning_configuration[0].status == "Enabled"
    error_message = "Object Lock needs versions."
  }
}

run "objects_are_locked_against_everyone" {
  command = plan

  variables {
    object_lock = { days = 14, mode = "COMPLIANCE" }
  }

  assert {
    condition     = aws_s3_bucket_object_lock_configuration.this[0].rule[0].default_retention[0].mode == "COMPLIANCE"
    error_message = "The mode asked for has no effect."
  }
}
