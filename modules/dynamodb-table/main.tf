resource "aws_dynamodb_table" "this" {
  count = var.create ? 1 : 0

  name                        = var.name
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "pk"
  range_key                   = "sk"
  deletion_protection_enabled = var.deletion_protection_enabled
  tags                        = var.tags

  dynamic "attribute" {
    for_each = toset(["pk", "sk", "pullRequest", "createdAt", "run", "claimedOn", "claimedAt"])

    content {
      name = attribute.value
      type = "S"
    }
  }

  # Provider 6 warns of hash_key and range_key here, but 5 does not know key_schema.
  global_secondary_index {
    name            = "by-pull-request"
    hash_key        = "pullRequest"
    range_key       = "createdAt"
    projection_type = "ALL"
  }

  global_secondary_index {
    name            = "by-run"
    hash_key        = "run"
    range_key       = "pk"
    projection_type = "ALL"
  }

  # For people who ask what was applied on a day: no action reads it.
  global_secondary_index {
    name            = "by-day"
    hash_key        = "claimedOn"
    range_key       = "claimedAt"
    projection_type = "ALL"
  }

  ttl {
    attribute_name = "expiresAt"
    enabled        = true
  }

  point_in_time_recovery {
    enabled = true
  }

  # Not enabled would be a key that AWS owns, whose use no trail shows.
  server_side_encryption {
    enabled     = true
    kms_key_arn = var.kms_key_arn
  }
}

data "aws_iam_policy_document" "this" {
  count = var.create && length(var.resource_policy_documents) > 0 ? 1 : 0

  source_policy_documents = var.resource_policy_documents
}

resource "aws_dynamodb_resource_policy" "this" {
  count = var.create && length(var.resource_policy_documents) > 0 ? 1 : 0

  resource_arn = aws_dynamodb_table.this[0].arn
  policy       = data.aws_iam_policy_document.this[0].json
}
