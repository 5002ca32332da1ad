# What the storage roles may do. Each kind of item has its own prefix of the partition
# key, and the repository follows it: see shared/planstore/README.md.

locals {
  storage_roles = toset([for role in keys(local.roles) : role if endswith(role, "_storage")])

  # The keys of the bucket and of the table work through S3 and DynamoDB only.
  via_s3       = "s3.${local.region}"
  via_dynamodb = "dynamodb.${local.region}"
  region       = try("${data.aws_region.current[0].id}.${data.aws_partition.current[0].dns_suffix}", "")
  bucket_arn   = try(var.storage.bucket_arn, null)
}

data "aws_region" "current" {
  count = length(local.storage_roles) > 0 ? 1 : 0
}

data "aws_partition" "current" {
  count = length(local.storage_roles) > 0 ? 1 : 0
}

data "aws_iam_policy_document" "add_planfiles" {
  count = length(local.storage_roles) > 0 ? 1 : 0

  # The bucket's policy demands this condition of everyone; here it holds whatever
  # becomes of that policy.
  statement {
    sid       = "AddPlanfiles"
    actions   = ["s3:PutObject"]
    resources = [for key in local.keys : "${local.bucket_arn}/planfiles/${key}/*"]

    condition {
      test     = "StringEquals"
      variable = "s3:if-none-match"
      values   = ["*"]
    }
  }

  statement {
    sid       = "EncryptPlanfiles"
    actions   = ["kms:GenerateDataKey"]
    resources = [var.storage.kms_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = [local.via_s3]
    }

    # With a bucket key, the encryption context is the bucket, not the object:
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html
    condition {
      test     = "StringEquals"
      variable = "kms:EncryptionContext:aws:s3:arn"
      values   = [local.bucket_arn]
    }
  }
}

data "aws_iam_policy_document" "apply_objects" {
  count = length(local.storage_roles) > 0 ? 1 : 0

  statement {
    sid       = "ReadPlanfiles"
    actions   = ["s3:GetObject", "s3:GetObjectVersion"]
    resources = [for key in local.keys : "${local.bucket_arn}/planfiles/${key}/*"]
  }

  statement {
    sid       = "AddErroredStates"
    actions   = ["s3:PutObject"]
    resources = [for key in local.keys : "${local.bucket_arn}/errored-state/${key}/*"]

    condition {
      test     = "StringEquals"
      variable = "s3:if-none-match"
      values   = ["*"]
    }
  }

  statement {
    sid       = "UseBucketKey"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [var.storage.kms_key_arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = [local.via_s3]
    }

    condition {
      test     = "StringEquals"
      variable = "kms:EncryptionContext:aws:s3:arn"
      values   = [local.bucket_arn]
    }
  }
}

# What each role may do with items of the table, by the kind that their partition key begins
# with, and the repository that follows it; in an index it begins with the repository.
locals {
  items = {
    plan_storage = {
      # DynamoDB has no permission to add but not to replace. What is under a key can't
      # become another record: the sort key ends in the record's SHA-256, and a record
      # that is not what its key says is refused.
      AddRecords = { actions = ["PutItem"], kinds = ["plan", "lock"] }
      # Of the items apply#, it is the last applies that are read. Their sort key is none
      # that a condition can see, so claims can be read, too: they say who applied what.
      ReadLocks         = { actions = ["BatchGetItem"], kinds = ["lock", "apply"] }
      FindByPullRequest = { actions = ["Query"], indexes = ["by-pull-request"] }
    }
    apply_storage = {
      FindRecords       = { actions = ["Query"], kinds = ["plan"] }
      FindByPullRequest = { actions = ["Query"], indexes = ["by-pull-request"] }
      # A claim, the last apply and the lock are read in one request: its keys are met
      # by one statement, or by none.
      ReadClaims  = { actions = ["BatchGetItem"], kinds = ["apply", "issue", "lock"] }
      WriteClaims = { actions = ["ConditionCheckItem", "PutItem", "UpdateItem"], kinds = ["apply"] }
      WriteLinks  = { actions = ["PutItem"], kinds = ["issue"] } # of drift remediation
    }
    # What runs on the default branch and applies nothing: it plans drift, links issues, and
    # reads what an apply would apply (dry-run), never a planfile.
    drift_storage = {
      AddItems                = { actions = ["PutItem"], kinds = ["plan", "drift", "issue"] }
      FindRecords             = { actions = ["Query"], kinds = ["plan"] }
      FindByRunAndPullRequest = { actions = ["Query"], indexes = ["by-run", "by-pull-request"] }
      ReadClaims              = { actions = ["BatchGetItem"], kinds = ["apply", "issue", "lock"] }
    }
  }
}

data "aws_iam_policy_document" "storage" {
  for_each = local.storage_roles

  source_policy_documents = concat(
    data.aws_iam_policy_document.table_key[*].json,
    each.key == "apply_storage" ? data.aws_iam_policy_document.apply_objects[*].json : data.aws_iam_policy_document.add_planfiles[*].json,
  )

  dynamic "statement" {
    for_each = local.items[each.key]

    content {
      sid       = statement.key
      actions   = [for action in statement.value.actions : "dynamodb:${action}"]
      resources = [for index in try(statement.value.indexes, [""]) : index == "" ? var.storage.table_arn : "${var.storage.table_arn}/index/${index}"]

      condition {
        test     = "ForAllValues:StringLike"
        variable = "dynamodb:LeadingKeys"
        values   = flatten([for key in local.keys : [for kind in try(statement.value.kinds, [""]) : kind == "" ? "${key}#*" : "${kind}#${key}#*"]])
      }

      # ForAllValues is true of no value at all.
      condition {
        test     = "Null"
        variable = "dynamodb:LeadingKeys"
        values   = ["false"]
      }
    }
  }
}

# Items are read and written with the table's key, when it is one of yours:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
data "aws_iam_policy_document" "table_key" {
  count = length(local.storage_roles) > 0 ? 1 : 0

  # Not a count: the key may be known only after apply.
  dynamic "statement" {
    for_each = var.storage.table_kms_key_arn == null ? [] : [var.storage.table_kms_key_arn]

    content {
      sid       = "UseTableKey"
      actions   = ["kms:Decrypt"]
      resources = [statement.value]

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = [local.via_dynamodb]
      }

      condition {
        test     = "StringEquals"
        variable = "kms:EncryptionContext:aws:dynamodb:tableName"
        values   = [split("/", var.storage.table_arn)[1]]
      }
    }
  }
}

resource "aws_iam_role_policy" "storage" {
  for_each = local.storage_roles

  name   = "plan-store"
  role   = aws_iam_role.this[each.key].name
  policy = data.aws_iam_policy_document.storage[each.key].json

  lifecycle {
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    precondition {
      condition     = length(jsonencode(jsondecode(data.aws_iam_policy_document.storage[each.key].json))) <= 10240
      error_message = "The role's policy has more than the 10,240 characters that IAM takes: list fewer repositories, and call the module once more for the others."
    }
  }
}
