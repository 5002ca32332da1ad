# Nothing here may reach errored-state/: a state that is nowhere else never expires.
resource "aws_s3_bucket_lifecycle_configuration" "this" {
  count = local.count

  bucket = aws_s3_bucket.this[0].id

  rule {
    id     = "expire-planfiles"
    status = "Enabled"

    filter {
      prefix = "planfiles/"
    }

    expiration {
      days = var.planfile_expiration_days
    }

    # An expired planfile has become an old version, with all its secrets.
    noncurrent_version_expiration {
      noncurrent_days = 1
    }
  }

  # S3 does not take this beside days.
  rule {
    id     = "remove-delete-markers"
    status = "Enabled"

    filter {
      prefix = "planfiles/"
    }

    expiration {
      expired_object_delete_marker = true
    }
  }

  rule {
    id     = "abort-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

# Not by the bucket's object_lock_enabled: changing that replaces the bucket.
resource "aws_s3_bucket_object_lock_configuration" "this" {
  count = var.create && var.object_lock != null ? 1 : 0

  bucket = aws_s3_bucket.this[0].id

  rule {
    default_retention {
      mode = var.object_lock.mode
      days = var.object_lock.days
    }
  }

  lifecycle {
    precondition {
      condition     = var.object_lock.days <= var.planfile_expiration_days
      error_message = "object_lock.days is more than planfile_expiration_days, so planfiles could not be deleted when they expire: lower the first or raise the second."
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}
