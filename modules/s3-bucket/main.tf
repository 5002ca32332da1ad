locals {
  count     = var.create ? 1 : 0
  key_count = var.create && var.create_kms_key ? 1 : 0

  # Written out, so that the policies can be read in the first plan.
  bucket_arn  = "arn:${data.aws_partition.current.partition}:s3:::${var.name}"
  kms_key_arn = var.create_kms_key ? one(aws_kms_key.this[*].arn) : var.kms_key_arn
}

data "aws_partition" "current" {}

# Logging is for the caller to choose, since it takes another bucket.
#trivy:ignore:AWS-0089
resource "aws_s3_bucket" "this" {
  count = local.count

  bucket        = var.name
  force_destroy = var.force_destroy
  tags          = var.tags
}

resource "aws_s3_bucket_public_access_block" "this" {
  count = local.count

  bucket                  = aws_s3_bucket.this[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  count = local.count

  bucket = aws_s3_bucket.this[0].id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_versioning" "this" {
  count = local.count

  bucket = aws_s3_bucket.this[0].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_logging" "this" {
  count = var.create && var.logging != null ? 1 : 0

  bucket        = aws_s3_bucket.this[0].id
  target_bucket = var.logging.target_bucket
  target_prefix = coalesce(var.logging.target_prefix, "${var.name}/")

  lifecycle {
    precondition {
      condition     = var.logging.target_bucket != var.name
      error_message = "logging.target_bucket is this bucket, whose policy refuses logs, and each log would be logged in turn: write the name of another bucket."
    }
  }
}
