# The bucket for Terraform's states, and what its roles may do in it. If you already have a
# backend, remove this file, the policies `state` in main.tf, and `backend` in outputs.tf. Then
# add the policies for your backend to plan_policy_arns and apply_policy_arns.

resource "aws_s3_bucket" "state" {
  bucket = "${var.name}-state"
  tags   = var.tags

  # To destroy the bucket, remove this first.
  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "state" {
  bucket = aws_s3_bucket.state.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "aws:kms"
    }
    bucket_key_enabled = true
  }
}

data "aws_iam_policy_document" "state_bucket" {
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
}

resource "aws_s3_bucket_policy" "state" {
  bucket = aws_s3_bucket.state.id
  policy = data.aws_iam_policy_document.state_bucket.json
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

# A plan reads the state, including its secrets, and locks it. So the roles can use the states
# of the listed stacks only. If other people may plan another stack, use another call of these
# modules for it. The roles can't overwrite an existing lock or delete a lock of another stack.
# They can delete the locks of these stacks, as `terraform force-unlock` does: IAM does not know
# who holds a lock.
data "aws_iam_policy_document" "state" {
  for_each = toset(["plan", "apply"])

  statement {
    sid       = "FindStates"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.state.arn]
  }

  statement {
    sid       = "ReadStates"
    actions   = ["s3:GetObject"]
    resources = [for stack in var.stacks : "${aws_s3_bucket.state.arn}/${stack}/*"]
  }

  statement {
    sid       = "LockStates"
    actions   = ["s3:PutObject"]
    resources = [for stack in var.stacks : "${aws_s3_bucket.state.arn}/${stack}/*.tflock"]

    condition {
      test     = "StringEquals"
      variable = "s3:if-none-match"
      values   = ["*"]
    }
  }

  statement {
    sid       = "UnlockStates"
    actions   = ["s3:DeleteObject"]
    resources = [for stack in var.stacks : "${aws_s3_bucket.state.arn}/${stack}/*.tflock"]
  }

  # Older versions of a state can be restored, whatever other policies are attached.
  statement {
    sid       = "KeepOldStates"
    effect    = "Deny"
    actions   = ["s3:DeleteObjectVersion", "s3:PutBucketVersioning", "s3:PutLifecycleConfiguration"]
    resources = [aws_s3_bucket.state.arn, "${aws_s3_bucket.state.arn}/*"]
  }

  dynamic "statement" {
    for_each = each.key == "apply" ? ["WriteStates"] : []

    content {
      sid       = statement.value
      actions   = ["s3:PutObject"]
      resources = [for stack in var.stacks : "${aws_s3_bucket.state.arn}/${stack}/*.tfstate"]
    }
  }
}

resource "aws_iam_policy" "state" {
  for_each = data.aws_iam_policy_document.state

  name   = "${var.name}-${each.key}-state"
  policy = each.value.json
  tags   = var.tags
}
