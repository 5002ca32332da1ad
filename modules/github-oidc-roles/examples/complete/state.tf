# The bucket for Terraform's states, and what its roles may do in it. Where you have a
# backend already, remove this file, the policies `state` in main.tf and `backend` in
# outputs.tf: its policies go into plan_policy_arns and apply_policy_arns then.

resource "aws_s3_bucket" "state" {
  bucket = "${var.name}-state"
  tags   = var.tags

  # Who means to destroy it says so here first.
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

# To plan is to read the state, with all that it holds, secrets too, and to lock it. So each
# role has the states of the stacks that are listed, and of no others: give another stack a
# call of these modules of its own, where other people may plan it. A lock that is there can't
# be written over, nor that of another stack deleted; who may plan a stack can delete its
# lock, as `terraform force-unlock` does: IAM does not know whose it is.
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

  # Whatever else is attached: what a state was before can be had back.
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
