# The bucket for this account's states. Other accounts can't use a key that AWS manages, so it has
# a key of its own.

data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

resource "aws_s3_bucket" "state" {
  bucket = "${var.name}-state"
  tags   = var.tags

  # To destroy the bucket, remove this first.
  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_kms_key" "state" {
  description         = "Terraform states in ${var.name}-state"
  enable_key_rotation = true
  policy              = data.aws_iam_policy_document.key.json
  tags                = var.tags
}

data "aws_iam_policy_document" "key" {
  statement {
    sid       = "Account"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.this.partition}:iam::${data.aws_caller_identity.this.account_id}:root"]
    }
  }

  dynamic "statement" {
    for_each = local.shares ? ["Readers"] : []

    content {
      sid       = statement.value
      actions   = ["kms:Decrypt"]
      resources = ["*"]

      principals {
        type        = "AWS"
        identifiers = var.readers
      }
    }
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "state" {
  bucket = aws_s3_bucket.state.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.state.arn
    }
    bucket_key_enabled = true
  }
}

data "aws_iam_policy_document" "bucket" {
  statement {
    sid       = "TLSOnly"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.state.arn, "${aws_s3_bucket.state.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }

  dynamic "statement" {
    for_each = local.shares ? ["Readers"] : []

    content {
      sid       = statement.value
      actions   = ["s3:GetObject"]
      resources = local.readable

      principals {
        type        = "AWS"
        identifiers = var.readers
      }
    }
  }
}

locals {
  readable = [for stack in var.settings.readable_stacks : "${aws_s3_bucket.state.arn}/${stack}/*.tfstate"]
  shares   = length(var.settings.readable_stacks) > 0
}

resource "aws_s3_bucket_policy" "state" {
  bucket = aws_s3_bucket.state.id
  policy = data.aws_iam_policy_document.bucket.json
}

resource "aws_s3_bucket_versioning" "state" {
  bucket = aws_s3_bucket.state.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_public_access_block" "state" {
  bucket = aws_s3_bucket.state.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}
