# Each property that keeps planfiles safe, on mocked resources: nothing is created.
# apply, since the key's ARN is known only then. Needs Terraform 1.7 (OpenTofu 1.8).

mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
  }

  mock_data "aws_region" {
    defaults = { id = "us-east-2" }
  }

  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }

  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:us-east-2:111122223333:key/own" }
  }

  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::acme-terraform-plans", region = "us-east-2" }
  }
}

# Told apart from the bucket's policy.
override_data {
  target = data.aws_iam_policy_document.key
  values = { json = "{\"Version\":\"2012-10-17\",\"Id\":\"key\",\"Statement\":[]}" }
}

variables {
  name = "acme-terraform-plans"
}

run "by_default" {
  assert {
    condition     = aws_s3_bucket.this[0].bucket == "acme-terraform-plans"
    error_message = "The bucket has another name."
  }

  assert {
    condition     = !aws_s3_bucket.this[0].force_destroy
    error_message = "A destroy would delete what is in the bucket."
  }

  assert {
    condition     = aws_s3_bucket_public_access_block.this[0].bucket == aws_s3_bucket.this[0].id
    error_message = "Public access is blocked to another bucket."
  }

  assert {
    condition     = aws_s3_bucket_public_access_block.this[0].block_public_acls
    error_message = "Public ACLs are not refused."
  }

  assert {
    condition     = aws_s3_bucket_public_access_block.this[0].ignore_public_acls
    error_message = "Public ACLs are not ignored."
  }

  assert {
    condition     = aws_s3_bucket_public_access_block.this[0].block_public_policy
    error_message = "A public policy is not refused."
  }

  assert {
    condition     = aws_s3_bucket_public_access_block.this[0].restrict_public_buckets
    error_message = "A public policy has effect."
  }

  assert {
    condition     = aws_s3_bucket_ownership_controls.this[0].rule[0].object_ownership == "BucketOwnerEnforced"
    error_message = "A writer could own its objects, and give them away by ACL."
  }

  assert {
    condition     = aws_s3_bucket_versioning.this[0].versioning_configuration[0].status == "Enabled"
    error_message = "Objects have no versions."
  }

  assert {
    condition     = length(aws_s3_bucket_logging.this) == 0 && length(aws_s3_bucket_object_lock_configuration.this) == 0
    error_message = "Logging and Object Lock are to be asked for."
  }

  assert {
    condition = (
      output.name == aws_s3_bucket.this[0].id &&
      output.arn == "arn:aws:s3:::acme-terraform-plans" &&
      output.region == "us-east-2" &&
      output.kms_key_arn == "arn:aws:kms:us-east-2:111122223333:key/own"
    )
    error_message = "An output says something else than what was made."
  }
}

run "encrypts_with_a_key_of_its_own" {
  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.this[0].rule).apply_server_side_encryption_by_default[0].sse_algorithm == "aws:kms"
    error_message = "Objects are not encrypted with KMS by default."
  }

  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.this[0].rule).apply_server_side_encryption_by_default[0].kms_master_key_id == "arn:aws:kms:us-east-2:111122223333:key/own"
    error_message = "Objects are encrypted with another key."
  }

  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.this[0].rule).bucket_key_enabled
    error_message = "There is no bucket key."
  }

  assert {
    condition     = aws_kms_key.this[0].enable_key_rotation
    error_message = "The key is not rotated."
  }

  assert {
    condition     = aws_kms_key.this[0].deletion_window_in_days == 30
    error_message = "The key can be lost sooner than need be."
  }

  assert {
    condition     = aws_kms_alias.this[0].name == "alias/acme-terraform-plans" && aws_kms_alias.this[0].target_key_id == aws_kms_key.this[0].key_id
    error_message = "The key's alias is not the bucket's name."
  }
}

run "keeps_the_key_to_the_bucket" {
  assert {
    condition     = aws_kms_key.this[0].policy == data.aws_iam_policy_document.key[0].json && strcontains(aws_kms_key.this[0].policy, "\"Id\":\"key\"")
    error_message = "The key has another policy."
  }

  assert {
    condition = [for s in data.aws_iam_policy_document.key[0].statement : [s.sid, s.principals]] == [for sid in ["Administer", "UseForBucket"] :
      [sid, toset([{ type = "AWS", identifiers = toset(["arn:aws:iam::111122223333:root"]) }])]
    ]
    error_message = "The key's policy allows access from other accounts, or does more than two things."
  }

  assert {
    condition = alltrue([for action in data.aws_iam_policy_document.key[0].statement[0].actions :
      !can(regex("^kms:(\\*|Decrypt|Encrypt|Generate|ReEncrypt|CreateGrant|Create\\*|Sign|Derive)", action))
    ])
    error_message = "Administrators can use the key, or grant its use, for something else than this bucket."
  }

  assert {
    condition     = contains(data.aws_iam_policy_document.key[0].statement[0].actions, "kms:PutKeyPolicy")
    error_message = "The account is locked out of its key."
  }

  assert {
    condition     = data.aws_iam_policy_document.key[0].statement[1].actions == toset(["kms:Decrypt", "kms:GenerateDataKey"])
    error_message = "S3 needs no more and no less of the key."
  }

  assert {
    condition = data.aws_iam_policy_document.key[0].statement[1].condition == toset([
      { test = "StringEquals", variable = "kms:ViaService", values = tolist(["s3.us-east-2.amazonaws.com"]) },
      { test = "StringEquals", variable = "kms:EncryptionContext:aws:s3:arn", values = tolist(["arn:aws:s3:::acme-terraform-plans"]) },
    ])
    error_message = "The key can be used outside S3, or for another bucket."
  }
}

run "denies_what_no_role_may_do" {
  assert {
    condition     = aws_s3_bucket_policy.this[0].bucket == aws_s3_bucket.this[0].id && aws_s3_bucket_policy.this[0].policy == data.aws_iam_policy_document.bucket[0].json
    error_message = "The bucket has another policy."
  }

  assert {
    condition = alltrue([for s in data.aws_iam_policy_document.bucket[0].statement :
      s.effect == "Deny" && s.principals == toset([{ type = "*", identifiers = toset(["*"]) }])
    ])
    error_message = "The policy allows something, or denies it to some alone."
  }

  assert {
    condition = alltrue([for s in data.aws_iam_policy_document.bucket[0].statement :
      s.resources == toset(["arn:aws:s3:::acme-terraform-plans", "arn:aws:s3:::acme-terraform-plans/*"])
    ])
    error_message = "The policy does not hold for the whole bucket."
  }

  assert {
    condition = { for s in data.aws_iam_policy_document.bucket[0].statement : s.sid => join(",", s.actions) } == {
      DenyPlainHTTP           = "s3:*"
      DenyOldTLS              = "s3:*"
      DenyReplacing           = "s3:PutObject"
      DenyOtherEncryption     = "s3:PutObject"
      DenyOtherKey            = "s3:PutObject"
      DenyAWSManagedKey       = "s3:PutObject"
      DenyCustomerProvidedKey = "s3:PutObject"
    }
    error_message = "A statement is missing, or denies other actions."
  }

  assert {
    condition     = one([for s in data.aws_iam_policy_document.bucket[0].statement : [for c in s.condition : "${c.test} ${c.variable} ${join(",", c.values)}"] if s.sid == "DenyPlainHTTP"]) == ["Bool aws:SecureTransport false"]
    error_message = "Plain HTTP passes."
  }

  assert {
    condition     = one([for s in data.aws_iam_policy_document.bucket[0].statement : [for c in s.condition : "${c.test} ${c.variable} ${join(",", c.values)}"] if s.sid == "DenyOldTLS"]) == ["NumericLessThan s3:TlsVersion 1.2"]
    error_message = "TLS before 1.2 passes."
  }

  assert {
    condition     = one([for s in data.aws_iam_policy_document.bucket[0].statement : [for c in s.condition : "${c.test} ${c.variable} ${join(",", c.values)}"] if s.sid == "DenyReplacing"]) == ["Null s3:if-none-match true"]
    error_message = "An object can be replaced."
  }

  assert {
    condition = toset(one([for s in data.aws_iam_policy_document.bucket[0].statement : [for c in s.condition : "${c.test} ${c.variable} ${join(",", c.values)}"] if s.sid == "DenyOtherEncryption"])) == toset([
      "Null s3:x-amz-server-side-encryption false",
      "StringNotEquals s3:x-amz-server-side-encryption aws:kms",
    ])
    error_message = "Another encryption passes, or none named is refused."
  }

  assert {
    condition = toset(one([for s in data.aws_iam_policy_document.bucket[0].statement : [for c in s.condition : "${c.test} ${c.variable} ${join(",", c.values)}"] if s.sid == "DenyOtherKey"])) == toset([
      "Null s3:x-amz-server-side-encryption-aws-kms-key-id false",
      "StringNotEquals s3:x-amz-server-side-encryption-aws-kms-key-id arn:aws:kms:us-east-2:111122223333:key/own",
    ])
    error_message = "Another key passes, or none named is refused."
  }

  assert {
    condition = toset(one([for s in data.aws_iam_policy_document.bucket[0].statement : [for c in s.condition : "${c.test} ${c.variable} ${join(",", c.values)}"] if s.sid == "DenyAWSManagedKey"])) == toset([
      "Null s3:x-amz-server-side-encryption false",
      "Null s3:x-amz-server-side-encryption-aws-kms-key-id true",
    ])
    error_message = "The key aws/s3 passes, or no encryption named is refused."
  }

  assert {
    condition     = one([for s in data.aws_iam_policy_document.bucket[0].statement : [for c in s.condition : "${c.test} ${c.variable} ${join(",", c.values)}"] if s.sid == "DenyCustomerProvidedKey"]) == ["Null s3:x-amz-server-side-encryption-customer-algorithm false"]
    error_message = "A key that comes with the request passes."
  }
}

run "encrypts_with_a_given_key" {
  variables {
    create_kms_key = false
    kms_key_arn    = "arn:aws:kms:us-east-2:111122223333:key/given"
  }

  assert {
    condition     = length(aws_kms_key.this) == 0 && length(aws_kms_alias.this) == 0
    error_message = "A key was made though one was given."
  }

  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.this[0].rule).apply_server_side_encryption_by_default[0].kms_master_key_id == "arn:aws:kms:us-east-2:111122223333:key/given"
    error_message = "Objects are encrypted with another key than the given one."
  }

  assert {
    condition = anytrue(flatten([for s in data.aws_iam_policy_document.bucket[0].statement :
      [for c in s.condition : contains(c.values, "arn:aws:kms:us-east-2:111122223333:key/given")] if s.sid == "DenyOtherKey"
    ]))
    error_message = "The policy refuses the given key."
  }

  assert {
    condition     = output.kms_key_arn == "arn:aws:kms:us-east-2:111122223333:key/given"
    error_message = "The output does not name the given key."
  }
}

run "adds_statements_of_the_caller" {
  variables {
    source_policy_documents = ["{\"Version\":\"2012-10-17\",\"Statement\":[]}"]
  }

  assert {
    condition     = data.aws_iam_policy_document.bucket[0].source_policy_documents == tolist(["{\"Version\":\"2012-10-17\",\"Statement\":[]}"])
    error_message = "The caller's statements are left out."
  }

  # As overrides, they could replace the module's own.
  assert {
    condition     = data.aws_iam_policy_document.bucket[0].override_policy_documents == null && length(data.aws_iam_policy_document.bucket[0].statement) == 7
    error_message = "The module's own statements give way to the caller's."
  }
}

run "logs_to_another_bucket" {
  variables {
    logging = { target_bucket = "acme-logs" }
  }

  assert {
    condition = (
      aws_s3_bucket_logging.this[0].bucket == aws_s3_bucket.this[0].id &&
      aws_s3_bucket_logging.this[0].target_bucket == "acme-logs" &&
      aws_s3_bucket_logging.this[0].target_prefix == "acme-terraform-plans/"
    )
    error_message = "Logs go elsewhere than to acme-logs/acme-terraform-plans/."
  }
}

run "logs_under_a_given_prefix" {
  variables {
    logging = { target_bucket = "acme-logs", target_prefix = "s3/plans/" }
  }

  assert {
    condition     = aws_s3_bucket_logging.this[0].target_prefix == "s3/plans/"
    error_message = "Logs have another prefix than the given one."
  }
}

run "tags_the_bucket_and_the_key" {
  variables {
    tags = { team = "platform" }
  }

  assert {
    condition     = aws_s3_bucket.this[0].tags == tomap({ team = "platform" }) && aws_kms_key.this[0].tags == tomap({ team = "platform" })
    error_message = "The bucket or the key lacks its tags."
  }
}

run "deletes_what_is_in_it_where_asked_to" {
  variables {
    force_destroy                   = true
    kms_key_deletion_window_in_days = 7
  }

  assert {
    condition     = aws_s3_bucket.this[0].force_destroy && aws_kms_key.this[0].deletion_window_in_days == 7
    error_message = "force_destroy or the deletion window has no effect."
  }
}

run "creates_nothing_where_asked_to" {
  variables {
    create      = false
    logging     = { target_bucket = "acme-logs" }
    object_lock = { days = 14 }
  }

  assert {
    condition = 0 == length(concat(
      aws_s3_bucket.this[*].id,
      aws_s3_bucket_lifecycle_configuration.this[*].id,
      aws_s3_bucket_logging.this[*].id,
      aws_s3_bucket_object_lock_configuration.this[*].id,
      aws_s3_bucket_ownership_controls.this[*].id,
      aws_s3_bucket_policy.this[*].id,
      aws_s3_bucket_public_access_block.this[*].id,
      aws_s3_bucket_server_side_encryption_configuration.this[*].id,
      aws_s3_bucket_versioning.this[*].id,
      aws_kms_key.this[*].id,
      aws_kms_alias.this[*].id,
    ))
    error_message = "Something was created."
  }

  assert {
    condition     = output.name == null && output.arn == null && output.region == null && output.kms_key_arn == null
    error_message = "An output names what is not there."
  }
}
