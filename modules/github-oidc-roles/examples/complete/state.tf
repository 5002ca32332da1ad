# The bucket for Terraform's states, and what its roles may do in it. Where you have a
# backend already, remove this file, the policies `state` in main.tf and `backend` in
# outputs.tf: its policies go into plan_policy_arns and apply_policy_arns then.

resource "aws_s3_bucket" "state" {
  bucket = "${var.name}-state"
  tags   = var.tags
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

# To plan is to read the state, with all that it holds, and to lock it.
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
    resources = ["${aws_s3_bucket.state.arn}/*"]
  }

  statement {
    sid       = "LockStates"
    actions   = ["s3:PutObject", "s3:DeleteObject"]
    resources = ["${aws_s3_bucket.state.arn}/*.tflock"]
  }

  dynamic "statement" {
    for_each = each.key == "apply" ? ["WriteStates"] : []

    content {
      sid       = statement.value
      actions   = ["s3:PutObject"]
      resources = ["${aws_s3_bucket.state.arn}/*.tfstate"]
    }
  }
}

resource "aws_iam_policy" "state" {
  for_each = data.aws_iam_policy_document.state

  name   = "${var.name}-${each.key}-state"
  policy = each.value.json
  tags   = var.tags
}
